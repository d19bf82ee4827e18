/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/hasty.c - breaks R11: poll comes back a moment before its
 * deadline.
 */

#include "adapted.h"

static int
hasty_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
           uint64_t deadline_ns)
{
    if (deadline_ns > MS && deadline_ns != PONS_NEVER)
        deadline_ns -= MS;
    return adapter_poll(r, events, cap, deadline_ns);
}

REACTOR("hasty", adapted_ops.poll = hasty_poll)
