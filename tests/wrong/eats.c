/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/eats.c - breaks R5: a cancelled op has taken the bytes that
 * were there.
 */

#include "adapted.h"

static void
eats_cancel(struct pons_reactor *r, struct pons_op *op)
{
    if (op->opcode == PONS_OP_RECV && op->backend[0] == WAITS)
        (void)!recv(op->fd, op->addr, op->len, MSG_DONTWAIT);
    adapter_cancel(r, op);
}

REACTOR("eats", adapted_ops.cancel = eats_cancel)
