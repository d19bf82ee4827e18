/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/twice.c - breaks R3: an event that fills its room is told again.
 */

#include "adapted.h"

static struct pons_event twice_event;

static int
twice_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
           uint64_t deadline_ns)
{
    int n;

    if (twice_event.op != NULL && cap > 0) {
        events[0] = twice_event;
        twice_event.op = NULL;
        return 1;
    }
    n = adapter_poll(r, events, cap, deadline_ns);
    if (n == 1 && cap == 1)
        twice_event = events[0];
    return n;
}

REACTOR("twice", adapted_ops.poll = twice_poll)
