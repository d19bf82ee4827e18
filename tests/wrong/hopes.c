/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/hopes.c - breaks R9: a CONNECT that is refused has gone well.
 */

#include "adapted.h"

static int32_t
hopes_result(const struct pons_op *op, int32_t res)
{
    return op->opcode == PONS_OP_CONNECT && res == -ECONNREFUSED ? 0 : res;
}

static int
hopes_submit(struct pons_reactor *r, struct pons_op *op)
{
    int how = adapter_submit(r, op);

    if (how == PONS_SUBMIT_DONE)
        op->res = hopes_result(op, op->res);
    return how;
}

static int
hopes_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
           uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns);

    for (int i = 0; i < n; i++)
        events[i].res = hopes_result(events[i].op, events[i].res);
    return n;
}

REACTOR("hopes", adapted_ops.submit = hopes_submit,
        adapted_ops.poll = hopes_poll)
