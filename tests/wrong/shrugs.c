/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/shrugs.c - breaks R5: a cancel is heard, and nothing follows.
 */

#include "reactor.h"

static void
shrugs_cancel(struct pons_reactor *r, struct pons_op *op)
{
    (void)r;
    (void)op;
}

WRONG_REACTOR("shrugs", wrong_reactor.cancel = shrugs_cancel)
