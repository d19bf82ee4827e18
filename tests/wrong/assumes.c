/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/assumes.c - breaks R9: whether a descriptor is a socket it looks
 * up once, and believes it of whatever has the number later.
 */

#include "adapted.h"

#include <sys/stat.h>

enum { NUMBERS = 1024, UNKNOWN = 0, SOCKET, OTHER };

static int
assumes_socket(int fd)
{
    static uint8_t kinds[NUMBERS]; // of one process, which has one reactor
    struct stat st;

    if (fd < 0 || fd >= NUMBERS || fstat(fd, &st) < 0)
        return 0;
    if (kinds[fd] == UNKNOWN)
        kinds[fd] = S_ISSOCK(st.st_mode) ? SOCKET : OTHER;
    return kinds[fd] == SOCKET && !S_ISSOCK(st.st_mode);
}

/* A READ of what it takes for a socket is recv(2). */
static int
assumes_submit(struct pons_reactor *r, struct pons_op *op)
{
    if (!assumes_socket(op->fd) || op->opcode != PONS_OP_READ)
        return adapter_submit(r, op);
    op->res = -ENOTSOCK;
    return PONS_SUBMIT_DONE;
}

REACTOR("assumes", adapted_ops.submit = assumes_submit)
