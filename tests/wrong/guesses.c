/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/guesses.c - breaks R2: of an op that it does not know it says
 * that it has ended.
 */

#include "adapted.h"

static int
guesses_submit(struct pons_reactor *r, struct pons_op *op)
{
    if (op->opcode >= PONS_OPCODES)
        return poni_submit_ends(op, -EINVAL);
    return adapter_submit(r, op);
}

REACTOR("guesses", adapted_ops.submit = guesses_submit)
