/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/meddles.c - breaks R9: a descriptor in blocking mode is not in
 * that mode any more.
 */

#include "adapted.h"

#include <fcntl.h>

static int
meddles_submit(struct pons_reactor *r, struct pons_op *op)
{
    int flags = fcntl(op->fd, F_GETFL);

    if (flags >= 0)
        (void)fcntl(op->fd, F_SETFL, flags | O_NONBLOCK);
    return adapter_submit(r, op);
}

REACTOR("meddles", adapted_ops.submit = meddles_submit)
