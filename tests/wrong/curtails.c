/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/curtails.c - breaks R7: of several events those that poll has no
 * room for are gone.
 */

#include "adapted.h"

enum { CURTAILS_ROOM = 8 };

static int
curtails_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
              uint64_t deadline_ns)
{
    struct pons_event all[CURTAILS_ROOM];
    int n;

    if (cap == 1 || cap > CURTAILS_ROOM)
        return adapter_poll(r, events, cap, deadline_ns);
    n = adapter_poll(r, all, CURTAILS_ROOM, deadline_ns);
    if (n > (int)cap)
        n = (int)cap;
    for (int i = 0; i < n; i++)
        events[i] = all[i];
    return n;
}

REACTOR("curtails", adapted_ops.poll = curtails_poll)
