/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/loses.c - breaks R4: where there is no memory for an op, it is
 * taken and forgotten.
 */

#include "adapted.h"

static int
loses_submit(struct pons_reactor *r, struct pons_op *op)
{
    int how = adapter_submit(r, op);

    if (how == PONS_SUBMIT_DONE && op->res == -ENOMEM)
        return PONS_SUBMIT_PENDING;
    return how;
}

REACTOR("loses", adapted_ops.submit = loses_submit)
