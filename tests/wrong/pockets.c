/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/pockets.c - breaks R10: the cancel of a multishot accept takes a
 * connection with it.
 */

#include "adapted.h"

#include <sys/socket.h>

static void
pockets_cancel(struct pons_reactor *r, struct pons_op *op)
{
    int fd = -1;

    if (op->opcode == PONS_OP_ACCEPT_MULTI)
        fd = accept(op->fd, NULL, NULL);
    if (fd >= 0)
        close(fd);
    adapter_cancel(r, op);
}

REACTOR("pockets", adapted_ops.cancel = pockets_cancel)
