/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/absorbs.c - breaks R8: a wake that came before poll is forgotten
 * if an op waits.
 */

#include "adapted.h"

static int
absorbs_submit(struct pons_reactor *r, struct pons_op *op)
{
    int how = adapter_submit(r, op);

    *adapted_state(r) += how == PONS_SUBMIT_PENDING;
    return how;
}

static int
absorbs_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
             uint64_t deadline_ns)
{
    int n;

    if (*adapted_state(r) > 0)
        (void)poni_swap(&self(r)->rung, 0);
    n = adapter_poll(r, events, cap, deadline_ns);
    if (n > 0)
        *adapted_state(r) -= (uintptr_t)n;
    return n;
}

REACTOR("absorbs", adapted_ops.submit = absorbs_submit,
        adapted_ops.poll = absorbs_poll)
