/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/early.c - breaks R11: a deadline is rounded down.
 */

#include "wrong.h"

static int
early_wait(struct pons_poller *p, struct pons_ready *ready, unsigned cap,
           uint64_t deadline_ns)
{
    if (deadline_ns > MS && deadline_ns != PONS_NEVER)
        deadline_ns -= MS;
    return poll_poller_wait(p, ready, cap, deadline_ns);
}

/* Its own clock is fine enough, it says. */
WRONG_POLLER("early", wrong_ops.wait = early_wait,
             wrong_ops.caps = PONS_POLLER_NANOSECONDS)
