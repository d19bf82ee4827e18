/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/aghast.c - breaks R9: that a stream has ended is an error.
 */

#include "adapted.h"

static int
aghast_ended(const struct pons_op *op, int32_t res)
{
    return res == 0 && op->len > 0 &&
           (op->opcode == PONS_OP_RECV || op->opcode == PONS_OP_READ);
}

static int
aghast_submit(struct pons_reactor *r, struct pons_op *op)
{
    int how = adapter_submit(r, op);

    if (how == PONS_SUBMIT_DONE && aghast_ended(op, op->res))
        op->res = -EPIPE;
    return how;
}

static int
aghast_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
            uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns);

    for (int i = 0; i < n; i++)
        if (aghast_ended(events[i].op, events[i].res))
            events[i].res = -EPIPE;
    return n;
}

REACTOR("aghast", adapted_ops.submit = aghast_submit,
        adapted_ops.poll = aghast_poll)
