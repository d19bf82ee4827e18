/* SPDX-License-Identifier: MIT */
/*
 * tests/right/tells_later.c - keeps the rules: nothing is DONE in submit; what
 * ends there, in want of memory, too, has an event.
 */

#include "tests/wrong/adapted.h"

static int
tells_later_submit(struct pons_reactor *r, struct pons_op *op)
{
    int how = adapter_submit(r, op);

    if (how != PONS_SUBMIT_DONE)
        return how;
    poni_adapter_finish(self(r), op);
    return PONS_SUBMIT_PENDING;
}

REACTOR("tells_later", adapted_ops.submit = tells_later_submit)
