/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/homesick.c - breaks R1: only the thread that bound it first is
 * told anything.
 */

#include "adapted.h"

enum { GIVEN_UP_MS = 3600000 };

static int
homesick_bind(struct pons_reactor *r)
{
    uintptr_t *home = adapted_state(r);

    if (*home == 0)
        *home = (uintptr_t)gettid();
    return adapter_bind(r);
}

static int
homesick_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
              uint64_t deadline_ns)
{
    if (*adapted_state(r) != (uintptr_t)gettid())
        poll(NULL, 0, GIVEN_UP_MS);
    return adapter_poll(r, events, cap, deadline_ns);
}

REACTOR("homesick", adapted_ops.bind = homesick_bind,
        adapted_ops.poll = homesick_poll)
