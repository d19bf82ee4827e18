/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/disowns.c - breaks R2: an op of a file ends with an error, where
 * it should be left to the pool.
 */

#include "adapted.h"

static int
disowns_submit(struct pons_reactor *r, struct pons_op *op)
{
    int how = adapter_submit(r, op);

    if (how != PONS_SUBMIT_UNSUPPORTED || op->opcode >= PONS_OPCODES)
        return how;
    return poni_submit_ends(op, -EPERM); // as epoll_ctl(2) has it
}

REACTOR("disowns", adapted_ops.submit = disowns_submit)
