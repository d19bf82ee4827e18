/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/fails.c - breaks R4: of a bad descriptor submit itself says
 * so.
 */

#include "adapted.h"

static int
fails_submit(struct pons_reactor *r, struct pons_op *op)
{
    int how = adapter_submit(r, op);

    return how == PONS_SUBMIT_DONE && op->res == -EBADF ? -EBADF : how;
}

REACTOR("fails", adapted_ops.submit = fails_submit)
