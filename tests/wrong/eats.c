/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/eats.c - breaks R5: a cancel takes a byte with it.
 */

#include "adapted.h"

#include <sys/socket.h>

static void
eats_cancel(struct pons_reactor *r, struct pons_op *op)
{
    char c;

    if (op->opcode == PONS_OP_RECV)
        (void)!recv(op->fd, &c, 1, MSG_DONTWAIT);
    adapter_cancel(r, op);
}

REACTOR("eats", adapted_ops.cancel = eats_cancel)
