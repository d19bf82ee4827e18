/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/pounces.c - breaks R6: a SEND is tried at once, by a call of its
 * own.
 */

#include "pretence.h"

static int
pounces_submit(struct pons_reactor *r, struct pons_op *op)
{
    if (op->opcode == PONS_OP_SEND)
        (void)getppid();
    return null_submit(r, op);
}

PRETENCE("pounces", pretence_ops.submit = pounces_submit,
         pretence_caps = PONS_REACTOR_COMPLETION)
