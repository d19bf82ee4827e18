/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/timeless.c - breaks R11: a deadline that is not past already
 * is not kept.
 */

#include "adapted.h"

static int
timeless_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
              uint64_t deadline_ns)
{
    if (deadline_ns != 0 && deadline_ns > self(r)->host->now(self(r)->host))
        deadline_ns = PONS_NEVER;
    return adapter_poll(r, events, cap, deadline_ns);
}

REACTOR("timeless", adapted_ops.poll = timeless_poll)
