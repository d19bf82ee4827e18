/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/shrugs.c - breaks R5: a cancel is heard, and nothing follows.
 */

#include "adapted.h"

static void
shrugs_cancel(struct pons_reactor *r, struct pons_op *op)
{
    (void)r;
    (void)op;
}

REACTOR("shrugs", adapted_ops.cancel = shrugs_cancel)
