/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/sips.c - breaks R10: the cancel of a multishot recv takes a byte
 * with it.
 */

#include "adapted.h"

#include <sys/socket.h>

static void
sips_cancel(struct pons_reactor *r, struct pons_op *op)
{
    char c;

    if (op->opcode == PONS_OP_RECV_MULTI)
        (void)!recv(op->fd, &c, 1, MSG_DONTWAIT);
    adapter_cancel(r, op);
}

REACTOR("sips", adapted_ops.cancel = sips_cancel)
