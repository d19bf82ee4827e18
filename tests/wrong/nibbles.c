/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/nibbles.c - breaks R9: a peek takes a byte.
 */

#include "adapted.h"

static void
nibbles_after(const struct pons_op *op, int32_t res)
{
    char c;

    if (op->opcode == PONS_OP_RECV && op->op_flags == MSG_PEEK && res > 0)
        (void)!recv(op->fd, &c, 1, MSG_DONTWAIT);
}

static int
nibbles_submit(struct pons_reactor *r, struct pons_op *op)
{
    int how = adapter_submit(r, op);

    if (how == PONS_SUBMIT_DONE)
        nibbles_after(op, op->res);
    return how;
}

static int
nibbles_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
             uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns);

    for (int i = 0; i < n; i++)
        nibbles_after(events[i].op, events[i].res);
    return n;
}

REACTOR("nibbles", adapted_ops.submit = nibbles_submit,
        adapted_ops.poll = nibbles_poll)
