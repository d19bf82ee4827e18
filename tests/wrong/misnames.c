/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/misnames.c - breaks R9: a bad descriptor is a result, but not
 * EBADF.
 */

#include "adapted.h"

static int
misnames_submit(struct pons_reactor *r, struct pons_op *op)
{
    int how = adapter_submit(r, op);

    if (how == PONS_SUBMIT_DONE && op->res == -EBADF)
        op->res = -EINVAL;
    return how;
}

REACTOR("misnames", adapted_ops.submit = misnames_submit)
