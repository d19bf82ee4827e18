/* SPDX-License-Identifier: MIT */
/*
 * core/instead.c - see core/instead.h.
 *
 * Meanwhile the opcode, its `len` and the round are in core[1], which only ops
 * that do not queue need for themselves, and those never come here with a POLL
 * to make.
 */

#include "instead.h"

#include <errno.h>
#include <sys/socket.h>

#include "adapter.h"
#include "io.h"

enum {
    ROUNDS_MAX = 16, // calls that would block though poll(2) says no: a full
                     // queue of somebody else's, for which there is no event
    ROUND_SHIFT = 8, // behind the opcode
    ROUND_MASK = 255,
};

static void
instead_begin(struct pons_op *op, unsigned round)
{
    unsigned short events = (unsigned short)poni_op_events(op);

    op->core[1] = op->opcode | round << ROUND_SHIFT | (uint64_t)op->len << 32;
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

static int
instead_submit(struct pons_reactor *r, struct pons_op *op, unsigned round)
{
    for (; round < ROUNDS_MAX; round++) {
        if (poni_op_try(op))
            return PONS_SUBMIT_DONE;
        instead_begin(op, round);
        if (r->ops->submit(r, op) == PONS_SUBMIT_PENDING)
            return PONS_SUBMIT_PENDING;
        poni_instead_end(op);
        if (op->res < 0)
            return PONS_SUBMIT_DONE;
    }
    op->res = -ENOBUFS;
    return PONS_SUBMIT_DONE;
}

int
poni_instead_submit(struct pons_reactor *r, struct pons_op *op)
{
    return instead_submit(r, op, 0);
}

/* Of a message that names its receiver poll(2) does not know the queue. */
static int
instead_is_blind(const struct pons_op *op)
{
    const struct msghdr *m = op->addr;

    return op->opcode == PONS_OP_SENDMSG && m->msg_name != NULL;
}

int
poni_instead_again(struct pons_reactor *r, struct pons_op *op)
{
    unsigned round = (unsigned)(op->core[1] >> ROUND_SHIFT & ROUND_MASK);

    return instead_submit(r, op, instead_is_blind(op) ? round + 1 : 0);
}
