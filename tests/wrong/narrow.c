/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/narrow.c - breaks R9: of what POLL finds it tells no more than
 * that there is something to read or room to write.
 */

#include "adapted.h"

static int32_t
narrow_result(const struct pons_op *op, int32_t res)
{
    return op->opcode == PONS_OP_POLL && res > 0 ? res & (POLLIN | POLLOUT)
                                                 : res;
}

static int
narrow_submit(struct pons_reactor *r, struct pons_op *op)
{
    int how = adapter_submit(r, op);

    if (how == PONS_SUBMIT_DONE)
        op->res = narrow_result(op, op->res);
    return how;
}

static int
narrow_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
            uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns);

    for (int i = 0; i < n; i++)
        events[i].res = narrow_result(events[i].op, events[i].res);
    return n;
}

REACTOR("narrow", adapted_ops.submit = narrow_submit,
        adapted_ops.poll = narrow_poll)
