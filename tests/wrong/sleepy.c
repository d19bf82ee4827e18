/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/sleepy.c - breaks R8: a wake is lost if nobody is inside poll.
 */

#include "adapted.h"

static int sleepy_inside; // whether the owner is inside poll

static int
sleepy_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
            uint64_t deadline_ns)
{
    int n;

    poni_store_seq(&sleepy_inside, 1);
    n = adapter_poll(r, events, cap, deadline_ns);
    poni_store_seq(&sleepy_inside, 0);
    return n;
}

static int
sleepy_wake(struct pons_reactor *r)
{
    return poni_load_seq(&sleepy_inside) ? adapter_wake(r) : 0;
}

REACTOR("sleepy", adapted_ops.poll = sleepy_poll,
        adapted_ops.wake = sleepy_wake)
