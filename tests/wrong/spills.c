/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/spills.c - breaks R7: of several events those that poll has no
 * room for are gone.
 */

#include "adapted.h"

enum { SPILLS_ROOM = 8 };

static int
spills_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
            uint64_t deadline_ns)
{
    struct pons_event all[SPILLS_ROOM];
    int n;

    if (cap == 1 || cap > SPILLS_ROOM)
        return adapter_poll(r, events, cap, deadline_ns);
    n = adapter_poll(r, all, SPILLS_ROOM, deadline_ns);
    if (n > (int)cap)
        n = (int)cap;
    for (int i = 0; i < n; i++)
        events[i] = all[i];
    return n;
}

REACTOR("spills", adapted_ops.poll = spills_poll)
