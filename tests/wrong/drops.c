/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/drops.c - breaks R4: what does not fit into its queue is
 * PENDING, and forgotten.
 */

#include "adapted.h"

enum { ROOM = 512, LOST = 1 };

static int
drops_submit(struct pons_reactor *r, struct pons_op *op)
{
    int how;

    *adapted_mark(op) = LOST;
    if (*adapted_state(r) == ROOM)
        return PONS_SUBMIT_PENDING;
    *adapted_mark(op) = 0;
    how = adapter_submit(r, op);
    *adapted_state(r) += how == PONS_SUBMIT_PENDING;
    return how;
}

static void
drops_cancel(struct pons_reactor *r, struct pons_op *op)
{
    if (*adapted_mark(op) != LOST)
        adapter_cancel(r, op);
}

static int
drops_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
           uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns);

    if (n > 0)
        *adapted_state(r) -= (uintptr_t)n;
    return n;
}

REACTOR("drops", adapted_ops.submit = drops_submit,
        adapted_ops.cancel = drops_cancel, adapted_ops.poll = drops_poll)
