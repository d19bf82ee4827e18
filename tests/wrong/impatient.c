/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/impatient.c - breaks R9: EAGAIN is a result, where
 * MSG_DONTWAIT asks for it.
 */

#include "adapted.h"

static int
impatient_submit(struct pons_reactor *r, struct pons_op *op)
{
    ssize_t n;

    if (op->opcode != PONS_OP_RECV || !(op->op_flags & MSG_DONTWAIT))
        return adapter_submit(r, op);
    n = recv(op->fd, op->addr, op->len, (int)op->op_flags);
    return poni_submit_ends(op, n < 0 ? -errno : (int)n);
}

REACTOR("impatient", adapted_ops.submit = impatient_submit)
