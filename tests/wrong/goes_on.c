/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/goes_on.c - breaks R5: an ACCEPT that was cancelled still takes
 * the next connection, for nobody.
 */

#include "adapted.h"

enum { NONE, BIAS }; // in the state: a listener's descriptor, and BIAS

static void
goes_on_cancel(struct pons_reactor *r, struct pons_op *op)
{
    if (op->opcode == PONS_OP_ACCEPT)
        *adapted_state(r) = (uintptr_t)op->fd + BIAS;
    adapter_cancel(r, op);
}

static int
goes_on_submit(struct pons_reactor *r, struct pons_op *op)
{
    int fd;

    if (op->opcode == PONS_OP_ACCEPT &&
        *adapted_state(r) == (uintptr_t)op->fd + BIAS) {
        fd = accept(op->fd, NULL, NULL);
        if (fd >= 0) {
            close(fd);
            *adapted_state(r) = NONE;
        }
    }
    return adapter_submit(r, op);
}

REACTOR("goes_on", adapted_ops.cancel = goes_on_cancel,
        adapted_ops.submit = goes_on_submit)
