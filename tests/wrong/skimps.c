/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/skimps.c - breaks R10: what a multishot accept asks for beside
 * the connection, the descriptor does not have.
 */

#include "adapted.h"

static int
skimps_submit(struct pons_reactor *r, struct pons_op *op)
{
    if (op->opcode == PONS_OP_ACCEPT_MULTI)
        op->op_flags = 0;
    return adapter_submit(r, op);
}

REACTOR("skimps", adapted_ops.submit = skimps_submit)
