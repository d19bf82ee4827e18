/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/peers.c - breaks R10: a multishot recv with MSG_PEEK takes the
 * bytes.
 */

#include "adapted.h"

#include <sys/socket.h>

static int
peers_submit(struct pons_reactor *r, struct pons_op *op)
{
    if (op->opcode == PONS_OP_RECV_MULTI)
        op->op_flags &= ~(uint32_t)MSG_PEEK;
    return adapter_submit(r, op);
}

REACTOR("peers", adapted_ops.submit = peers_submit)
