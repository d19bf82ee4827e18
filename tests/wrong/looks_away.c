/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/looks_away.c - breaks R7: a poll whose deadline is over does not
 * look.
 */

#include "adapted.h"

static int
looks_away_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
                uint64_t deadline_ns)
{
    if (deadline_ns != 0 && deadline_ns <= adapted_host->now(adapted_host))
        return 0;
    return adapter_poll(r, events, cap, deadline_ns);
}

REACTOR("looks_away", adapted_ops.poll = looks_away_poll)
