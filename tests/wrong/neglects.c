/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/neglects.c - breaks R10: of two multishot polls on one
 * descriptor the second is told nothing.
 */

#include "adapted.h"

enum { NONE, BIAS }; // in the state: the first one's descriptor, and BIAS
enum { OLDER = 1 };  // in an op's mark

static int
neglects_submit(struct pons_reactor *r, struct pons_op *op)
{
    if (op->opcode == PONS_OP_POLL_MULTI) {
        uintptr_t fd = (uintptr_t)op->fd + BIAS;

        *adapted_mark(op) = *adapted_state(r) != fd;
        *adapted_state(r) = fd;
    }
    return adapter_submit(r, op);
}

static int
neglects_keep(struct pons_reactor *r, struct pons_event *ev)
{
    if (ev->op->opcode != PONS_OP_POLL_MULTI)
        return 1;
    if (!(ev->flags & PONS_EVENT_MORE))
        *adapted_state(r) = NONE;
    return ev->res < 0 || *adapted_mark(ev->op) == OLDER;
}

static int
neglects_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
              uint64_t deadline_ns)
{
    return adapted_poll_but(r, events, cap, deadline_ns, neglects_keep);
}

REACTOR("neglects", adapted_ops.submit = neglects_submit,
        adapted_ops.poll = neglects_poll)
