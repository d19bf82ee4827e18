/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/positive.c - breaks R9: EPIPE, for which an op has waited, has
 * the wrong sign.
 */

#include "adapted.h"

static int
positive_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
              uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns);

    for (int i = 0; i < n; i++)
        if (events[i].res == -EPIPE)
            events[i].res = EPIPE;
    return n;
}

REACTOR("positive", adapted_ops.poll = positive_poll)
