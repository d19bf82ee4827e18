/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/overlooks.c - breaks R10: a multishot poll tells a half-close as
 * something to read.
 */

#include "adapted.h"

static int
overlooks_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
               uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns);

    for (int i = 0; i < n; i++)
        if (events[i].op->opcode == PONS_OP_POLL_MULTI && events[i].res > 0 &&
            events[i].res & POLLRDHUP)
            events[i].res = POLLIN;
    return n;
}

REACTOR("overlooks", adapted_ops.poll = overlooks_poll)
