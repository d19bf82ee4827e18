/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/remembers.c - breaks R11: a deadline that was not used ends a
 * later poll.
 */

#include "adapted.h"

static int
remembers_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
               uint64_t deadline_ns)
{
    uintptr_t *soonest = adapted_state(r);
    int n;

    if (*soonest != 0 && deadline_ns != 0 && *soonest < deadline_ns) {
        deadline_ns = *soonest;
        *soonest = 0;
    }
    n = adapter_poll(r, events, cap, deadline_ns);
    if (n > 0 && deadline_ns != PONS_NEVER)
        *soonest = deadline_ns;
    return n;
}

REACTOR("remembers", adapted_ops.poll = remembers_poll)
