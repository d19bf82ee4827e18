/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/begins_late.c - breaks R10: what holds when a multishot poll
 * begins is not told.
 */

#include "adapted.h"

enum { NEW = 1 }; // in an op's mark

static int
begins_late_submit(struct pons_reactor *r, struct pons_op *op)
{
    struct pollfd p = {.fd = op->fd, .events = (short)op->len};

    if (op->opcode == PONS_OP_POLL_MULTI)
        *adapted_mark(op) = poll(&p, 1, 0) > 0 ? NEW : 0;
    return adapter_submit(r, op);
}

static int
begins_late_keep(struct pons_reactor *r, struct pons_event *ev)
{
    (void)r;
    if (ev->op->opcode != PONS_OP_POLL_MULTI || ev->res < 0 ||
        *adapted_mark(ev->op) != NEW)
        return 1;
    *adapted_mark(ev->op) = 0;
    return 0;
}

static int
begins_late_poll(struct pons_reactor *r, struct pons_event *events,
                 unsigned cap, uint64_t deadline_ns)
{
    return adapted_poll_but(r, events, cap, deadline_ns, begins_late_keep);
}

REACTOR("begins_late", adapted_ops.submit = begins_late_submit,
        adapted_ops.poll = begins_late_poll)
