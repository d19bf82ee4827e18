/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/promises.c - breaks R10: of ops that end once it says that there
 * is more.
 */

#include "adapted.h"

static int
promises_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
              uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns);

    for (int i = 0; i < n; i++)
        events[i].flags |= PONS_EVENT_MORE;
    return n;
}

REACTOR("promises", adapted_ops.poll = promises_poll)
