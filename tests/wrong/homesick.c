/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/homesick.c - breaks R1: only the thread that bound it first is
 * told anything.
 */

#include "reactor.h"

enum { OWNERS = 4096, GIVEN_UP_MS = 3600000 };

static struct homesick {
    struct pons_reactor *r;
    pid_t owner;
} homes[OWNERS];

static struct homesick *
homesick_find(struct pons_reactor *r)
{
    struct homesick *h = homes;

    while (h->r != r && h->r != NULL)
        h++;
    return h;
}

static int
homesick_bind(struct pons_reactor *r)
{
    struct homesick *h = homesick_find(r);

    if (h->r == NULL)
        *h = (struct homesick){r, gettid()};
    return right_bind(r);
}

static int
homesick_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
              uint64_t deadline_ns)
{
    if (homesick_find(r)->owner != gettid())
        poll(NULL, 0, GIVEN_UP_MS);
    return right_poll(r, events, cap, deadline_ns);
}

static void
homesick_close(struct pons_reactor *r)
{
    homesick_find(r)->owner = 0;
    homesick_find(r)->r = (struct pons_reactor *)&homes; // of nobody
    right_close(r);
}

WRONG_REACTOR("homesick", wrong_reactor.bind = homesick_bind,
              wrong_reactor.poll = homesick_poll,
              wrong_reactor.close = homesick_close)
