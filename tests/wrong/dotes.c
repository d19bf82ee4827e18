/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/dotes.c - breaks R10: while a multishot recv has data it looks
 * at nothing else.
 */

#include "adapted.h"

static int
dotes_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
           uint64_t deadline_ns)
{
    unsigned n = adapter_flow(self(r), events, cap);

    return n > 0 ? (int)n : adapter_poll(r, events, cap, deadline_ns);
}

REACTOR("dotes", adapted_ops.poll = dotes_poll)
