/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/stops_at_once.c - breaks R10: that there is room again a
 * multishot poll tells once.
 */

#include "adapted.h"

static int
stops_at_once_submit(struct pons_reactor *r, struct pons_op *op)
{
    if (op->opcode == PONS_OP_POLL_MULTI)
        *adapted_mark(op) = 0;
    return adapter_submit(r, op);
}

static int
stops_at_once_keep(struct pons_reactor *r, struct pons_event *ev)
{
    (void)r;
    return ev->op->opcode != PONS_OP_POLL_MULTI || ev->res != POLLOUT ||
           ++*adapted_mark(ev->op) == 1;
}

static int
stops_at_once_poll(struct pons_reactor *r, struct pons_event *events,
                   unsigned cap, uint64_t deadline_ns)
{
    return adapted_poll_but(r, events, cap, deadline_ns, stops_at_once_keep);
}

REACTOR("stops_at_once", adapted_ops.submit = stops_at_once_submit,
        adapted_ops.poll = stops_at_once_poll)
