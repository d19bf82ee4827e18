/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/scribbles.c - breaks R2: a field of the op that is the core's
 * is used.
 */

#include "adapted.h"

static int
scribbles_submit(struct pons_reactor *r, struct pons_op *op)
{
    op->user = r;
    return adapter_submit(r, op);
}

REACTOR("scribbles", adapted_ops.submit = scribbles_submit)
