/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/prolongs.c - breaks R2: a SEND_ZC that has failed takes both
 * steps, too.
 */

#include "lending.h"

static int
prolongs_submit(struct pons_reactor *r, struct pons_op *op)
{
    int how = lending_submit(r, op);

    if (op->opcode != PONS_OP_SEND_ZC || how != PONS_SUBMIT_DONE)
        return how;
    lending_sent(r, op);
    return PONS_SUBMIT_PENDING;
}

LENDING("prolongs", adapted_ops.submit = prolongs_submit)
