/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/mistakes.c - breaks R9: of a stream that was reset it says that
 * it has ended.
 */

#include "adapted.h"

static int
mistakes_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
              uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns);

    for (int i = 0; i < n; i++)
        if (events[i].res == -ECONNRESET)
            events[i].res = 0;
    return n;
}

REACTOR("mistakes", adapted_ops.poll = mistakes_poll)
