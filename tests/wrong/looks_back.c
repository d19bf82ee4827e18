/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/looks_back.c - breaks R2: notes in an op that was DONE, when it
 * is asked for events.
 */

#include "adapted.h"

static struct pons_op *looks_back_at;

static int
looks_back_submit(struct pons_reactor *r, struct pons_op *op)
{
    int how = adapter_submit(r, op);

    if (how == PONS_SUBMIT_DONE && op->opcode == PONS_OP_RECV)
        looks_back_at = op;
    return how;
}

static int
looks_back_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
                uint64_t deadline_ns)
{
    if (looks_back_at != NULL)
        looks_back_at->backend[0] = 0;
    looks_back_at = NULL;
    return adapter_poll(r, events, cap, deadline_ns);
}

REACTOR("looks_back", adapted_ops.submit = looks_back_submit,
        adapted_ops.poll = looks_back_poll)
