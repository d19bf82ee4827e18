/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/clutches.c - breaks R10: a multishot recv has its buffer from
 * the beginning, bytes or no bytes.
 */

#include "adapted.h"

static int
clutches_submit(struct pons_reactor *r, struct pons_op *op)
{
    const struct poni_lent_group *g;
    int how;

    if (op->opcode != PONS_OP_RECV_MULTI || self(r)->lent == NULL)
        return adapter_submit(r, op);
    g = poni_lent_group(self(r)->lent, op->buffer_group);
    if (g != NULL && *adapted_state(r) >= g->free)
        return submit_ends(op, -ENOBUFS);
    how = adapter_submit(r, op);
    *adapted_state(r) += how == PONS_SUBMIT_PENDING;
    return how;
}

static int
clutches_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
              uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns);

    for (int i = 0; i < n; i++)
        if (events[i].op->opcode == PONS_OP_RECV_MULTI &&
            !(events[i].flags & PONS_EVENT_MORE))
            --*adapted_state(r);
    return n;
}

REACTOR("clutches", adapted_ops.submit = clutches_submit,
        adapted_ops.poll = clutches_poll)
