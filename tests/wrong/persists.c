/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/persists.c - breaks R9: a SEND that had to wait goes on until all
 * is sent.
 */

#include "adapted.h"

/* In the state: what the one op that goes on has sent. */
static int
persists_keep(struct pons_reactor *r, struct pons_event *event)
{
    struct pons_op *op = event->op;
    uintptr_t *sent = adapted_state(r);

    if (op->opcode != PONS_OP_SEND)
        return 1;
    if (event->res > 0 && (uint32_t)event->res < op->len) {
        op->addr = (char *)op->addr + event->res;
        op->len -= (uint32_t)event->res;
        *sent += (uintptr_t)event->res;
        if (adapter_submit(r, op) == PONS_SUBMIT_DONE)
            poni_adapter_finish(self(r), op);
        return 0;
    }
    op->addr = (char *)op->addr - *sent;
    op->len += (uint32_t)*sent;
    if (*sent > 0)
        event->res = (int32_t)*sent + (event->res > 0 ? event->res : 0);
    *sent = 0;
    return 1;
}

static int
persists_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
              uint64_t deadline_ns)
{
    return adapted_poll_but(r, events, cap, deadline_ns, persists_keep);
}

REACTOR("persists", adapted_ops.poll = persists_poll)
