/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/overrules.c - breaks R10: a listener in blocking mode it makes
 * non-blocking, for a multishot accept.
 */

#include "adapted.h"

#include <fcntl.h>

static int
overrules_submit(struct pons_reactor *r, struct pons_op *op)
{
    if (op->opcode == PONS_OP_ACCEPT_MULTI)
        (void)fcntl(op->fd, F_SETFL, O_NONBLOCK);
    return adapter_submit(r, op);
}

REACTOR("overrules", adapted_ops.submit = overrules_submit)
