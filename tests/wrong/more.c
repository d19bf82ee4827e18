/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/more.c - breaks R10: each event says that there are more, and
 * there are none.
 */

#include "adapted.h"

static int
more_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
          uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns);

    for (int i = 0; i < n; i++)
        events[i].flags |= PONS_EVENT_MORE;
    return n;
}

REACTOR("more", adapted_ops.poll = more_poll)
