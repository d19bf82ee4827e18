/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/turns_away.c - breaks R5: the connection for which a cancelled
 * ACCEPT comes too late is closed.
 */

#include "adapted.h"

static void
turns_away_cancel(struct pons_reactor *r, struct pons_op *op)
{
    int fd = -1;

    if (op->opcode == PONS_OP_ACCEPT)
        fd = accept(op->fd, NULL, NULL);
    if (fd >= 0)
        close(fd);
    adapter_cancel(r, op);
}

REACTOR("turns_away", adapted_ops.cancel = turns_away_cancel)
