/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/will_not_wait.c - breaks R9: a CONNECT to a listener whose queue
 * is full ends with EAGAIN.
 */

#include "adapted.h"

static int
will_not_wait_submit(struct pons_reactor *r, struct pons_op *op)
{
    int how = adapter_submit(r, op);

    if (how != PONS_SUBMIT_PENDING || op->backend[0] != RETRIES)
        return how;
    oplist_remove(&self(r)->retries, op);
    return poni_submit_ends(op, -EAGAIN);
}

REACTOR("will_not_wait", adapted_ops.submit = will_not_wait_submit)
