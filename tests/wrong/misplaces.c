/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/misplaces.c - breaks R9: declares that it reads files at an
 * offset, and reads them from the beginning.
 */

#include "adapted.h"

#include <errno.h>
#include <unistd.h>

static int
misplaces_open(struct pons_reactor **out, const struct pons_config *config,
               const struct pons_host *host, struct pons_reason *reason)
{
    int err = adapted_open(out, config, host, reason);

    if (err == 0)
        (*out)->caps |= PONS_REACTOR_FILES;
    return err;
}

static int
misplaces_submit(struct pons_reactor *r, struct pons_op *op)
{
    ssize_t n;

    if (op->opcode != PONS_OP_READ || op->offset == PONS_AT_POSITION)
        return adapter_submit(r, op);
    n = pread(op->fd, op->addr, op->len, 0);
    op->res = n < 0 ? -errno : (int)n;
    return PONS_SUBMIT_DONE;
}

REACTOR("misplaces", adapted_ops.open = misplaces_open,
        adapted_ops.submit = misplaces_submit)
