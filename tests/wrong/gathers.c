/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/gathers.c - breaks R9: where a RECV has room left it takes what
 * comes behind, too, be it another message.
 */

#include "adapted.h"

#include <sys/socket.h>

static int32_t
gathers_more(const struct pons_op *op, int32_t res)
{
    size_t room = op->len - (size_t)res;
    ssize_t n;

    if (op->opcode != PONS_OP_RECV || op->op_flags != 0 || res <= 0 ||
        room == 0)
        return res;
    n = recv(op->fd, (char *)op->addr + res, room, MSG_DONTWAIT);
    return n > 0 ? res + (int32_t)n : res;
}

static int
gathers_submit(struct pons_reactor *r, struct pons_op *op)
{
    int how = adapter_submit(r, op);

    if (how == PONS_SUBMIT_DONE && op->res > 0)
        op->res = gathers_more(op, op->res);
    return how;
}

static int
gathers_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
             uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns);

    for (int i = 0; i < n; i++)
        if (events[i].res > 0)
            events[i].res = gathers_more(events[i].op, events[i].res);
    return n;
}

REACTOR("gathers", adapted_ops.submit = gathers_submit,
        adapted_ops.poll = gathers_poll)
