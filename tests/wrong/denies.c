/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/denies.c - breaks R5: an op that had ended when it was
 * cancelled says that it has not.
 */

#include "adapted.h"

static void
denies_cancel(struct pons_reactor *r, struct pons_op *op)
{
    if (op->backend[0] == FINISHED)
        op->res = -ECANCELED;
    adapter_cancel(r, op);
}

REACTOR("denies", adapted_ops.cancel = denies_cancel)
