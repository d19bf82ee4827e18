/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/overreaches.c - breaks R5: when nobody waits to read any more, or
 * to write, the descriptor is watched for neither.
 */

#include "adapted.h"

static void
overreaches_cancel(struct pons_reactor *r, struct pons_op *op)
{
    struct poni_slot *s = poni_slots_find(&self(r)->slots, op->fd);
    int waits = op->backend[0] == WAITS;

    adapter_cancel(r, op);
    if (waits && s->waiting[poni_op_events(op) == POLLOUT] == NULL)
        slot_unwatch(self(r), s, op->fd, BOTH);
}

REACTOR("overreaches", adapted_ops.cancel = overreaches_cancel)
