/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/sweeps.c - breaks R5: it cancels by the descriptor: who waits to
 * write goes with who waits to read.
 */

#include "adapted.h"

static void
sweeps_cancel(struct pons_reactor *r, struct pons_op *op)
{
    struct poni_slot *s = poni_slots_find(&self(r)->slots, op->fd);

    if (op->backend[0] == WAITS && poni_op_events(op) == POLLIN &&
        s->waiting[1] != NULL)
        adapter_cancel(r, oplist_first(s->waiting[1]));
    adapter_cancel(r, op);
}

REACTOR("sweeps", adapted_ops.cancel = sweeps_cancel)
