/* SPDX-License-Identifier: MIT */
/*
 * core/instead.c - see core/instead.h.
 *
 * Meanwhile the opcode and its `len` are in core[1], which only ops that do not
 * queue need for themselves, and those never come here with a POLL to make.
 */

#include "instead.h"

#include <errno.h>

#include "adapter.h"
#include "io.h"

enum {
    ROUNDS_MAX = 16, // calls that would block though poll(2) says no: a full
                     // queue of somebody else's, for which there is no event
};

static void
instead_begin(struct pons_op *op)
{
    unsigned short events = (unsigned short)poni_op_events(op);

    op->core[1] = op->opcode | (uint64_t)op->len << 32;
    poni_store_relaxed(&op->opcode, PONS_OP_POLL); // for io_describe()
    op->len = events;
    poni_op_belongs(op, USER_INSTEAD);
}

void
poni_instead_end(struct pons_op *op)
{
    poni_store_relaxed(&op->opcode, (uint8_t)op->core[1]);
    op->len = (uint32_t)(op->core[1] >> 32);
    poni_op_belongs(op, USER_STREAM);
}

int
poni_instead_submit(struct pons_reactor *r, struct pons_op *op)
{
    for (int i = 0; i < ROUNDS_MAX; i++) {
        if (poni_op_try(op))
            return PONS_SUBMIT_DONE;
        instead_begin(op);
        if (r->ops->submit(r, op) == PONS_SUBMIT_PENDING)
            return PONS_SUBMIT_PENDING;
        poni_instead_end(op);
        if (op->res < 0)
            return PONS_SUBMIT_DONE;
    }
    op->res = -ENOBUFS;
    return PONS_SUBMIT_DONE;
}
