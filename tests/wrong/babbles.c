/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/babbles.c - breaks R10: a multishot poll tells for ever what
 * holds.
 */

#include "adapted.h"

/* In the state: the op that has told something, or NULL. */
static struct pons_op *
babbles_op(struct pons_reactor *r)
{
    return (struct pons_op *)*adapted_state(r);
}

static void
babbles_cancel(struct pons_reactor *r, struct pons_op *op)
{
    if (babbles_op(r) == op)
        *adapted_state(r) = 0;
    adapter_cancel(r, op);
}

static int
babbles_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
             uint64_t deadline_ns)
{
    struct pons_op *op = babbles_op(r);
    int n;

    if (op != NULL && op->backend[0] == WATCHES && poni_op_try(op)) {
        events[0] = (struct pons_event){
            .op = op, .res = op->res, .flags = PONS_EVENT_MORE};
        return 1;
    }
    n = adapter_poll(r, events, cap, deadline_ns);
    for (int i = 0; i < n; i++)
        if (events[i].op->opcode == PONS_OP_POLL_MULTI && events[i].res > 0)
            *adapted_state(r) = (uintptr_t)events[i].op;
    return n;
}

REACTOR("babbles", adapted_ops.cancel = babbles_cancel,
        adapted_ops.poll = babbles_poll)
