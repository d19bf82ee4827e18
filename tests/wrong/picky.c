/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/picky.c - breaks R9: it reads from sockets, pipes and files, and
 * of all else says that it is invalid.
 */

#include "adapted.h"

#include <sys/stat.h>

static int
picky_knows(int fd)
{
    struct stat st;

    return fstat(fd, &st) < 0 || S_ISSOCK(st.st_mode) || S_ISFIFO(st.st_mode) ||
           S_ISREG(st.st_mode);
}

static int
picky_submit(struct pons_reactor *r, struct pons_op *op)
{
    if (op->opcode != PONS_OP_READ || picky_knows(op->fd))
        return adapter_submit(r, op);
    op->res = -EINVAL;
    return PONS_SUBMIT_DONE;
}

REACTOR("picky", adapted_ops.submit = picky_submit)
