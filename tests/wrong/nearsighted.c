/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/nearsighted.c - breaks R7: a deadline that is too far away for
 * its arithmetic counts as past.
 */

#include "adapted.h"

static int
nearsighted_poll(struct pons_reactor *r, struct pons_event *events,
                 unsigned cap, uint64_t deadline_ns)
{
    if (deadline_ns != PONS_NEVER && deadline_ns > INT64_MAX / 10)
        deadline_ns = 1;
    return adapter_poll(r, events, cap, deadline_ns);
}

REACTOR("nearsighted", adapted_ops.poll = nearsighted_poll)
