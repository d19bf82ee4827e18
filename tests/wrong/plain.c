/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/plain.c - breaks R9: what an ACCEPT asks for beside the
 * connection, the descriptor does not have.
 */

#include "adapted.h"

#include <fcntl.h>

static void
plain_strip(const struct pons_op *op, int32_t res)
{
    if (op->opcode == PONS_OP_ACCEPT && res >= 0)
        (void)fcntl(res, F_SETFL, 0);
}

static int
plain_submit(struct pons_reactor *r, struct pons_op *op)
{
    int how = adapter_submit(r, op);

    if (how == PONS_SUBMIT_DONE)
        plain_strip(op, op->res);
    return how;
}

static int
plain_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
           uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns);

    for (int i = 0; i < n; i++)
        plain_strip(events[i].op, events[i].res);
    return n;
}

REACTOR("plain", adapted_ops.submit = plain_submit,
        adapted_ops.poll = plain_poll)
