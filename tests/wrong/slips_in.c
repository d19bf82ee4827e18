/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/slips_in.c - breaks R5: a SEND that is cancelled is -ECANCELED,
 * and its bytes are sent.
 */

#include "adapted.h"

enum { PATIENCE_MS = 100 };

static void
slips_in_cancel(struct pons_reactor *r, struct pons_op *op)
{
    struct pollfd p = {.fd = op->fd, .events = POLLOUT};

    if (op->opcode == PONS_OP_SEND && poll(&p, 1, PATIENCE_MS) == 1)
        (void)send(op->fd, op->addr, op->len, MSG_DONTWAIT | MSG_NOSIGNAL);
    adapter_cancel(r, op);
}

REACTOR("slips_in", adapted_ops.cancel = slips_in_cancel)
