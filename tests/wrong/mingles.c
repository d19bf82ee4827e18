/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/mingles.c - breaks R10: it lends buffers of the first group,
 * whichever is asked for.
 */

#include "adapted.h"

static int
mingles_submit(struct pons_reactor *r, struct pons_op *op)
{
    if (op->opcode == PONS_OP_RECV_MULTI && self(r)->lent != NULL &&
        poni_lent_group(self(r)->lent, op->buffer_group) != NULL &&
        poni_lent_group(self(r)->lent, 0) != NULL)
        op->buffer_group = 0;
    return adapter_submit(r, op);
}

REACTOR("mingles", adapted_ops.submit = mingles_submit)
