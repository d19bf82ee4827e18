/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_error.c - R4: submit and cancel cannot fail.
 */

#include "kit.h"

#include <errno.h>
#include <unistd.h>

static void
error_bad_descriptors(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    int closed = KIT_SYS(dup(STDIN_FILENO));
    char c = 0;

    close(closed);
    for (int opcode = PONS_OP_ACCEPT; opcode <= PONS_OP_POLL; opcode++) {
        kit_ends(r, kit_op(opcode, -1, &c, 1), -EBADF);
        kit_ends(r, kit_op(opcode, closed, &c, 1), -EBADF);
    }
    kit_close(r);
}

static void
error_wrong_descriptors(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    char c = 0;
    int fds[2];

    kit_pipe(fds);
    kit_ends(r, kit_op(PONS_OP_RECV, fds[0], &c, 1), -ENOTSOCK);
    kit_ends(r, kit_op(PONS_OP_SEND, fds[1], &c, 1), -ENOTSOCK);
    kit_ends(r, kit_op(PONS_OP_ACCEPT, fds[0], NULL, 0), -ENOTSOCK);
    kit_ends(r, kit_op(PONS_OP_CONNECT, fds[0], &c, 1), -ENOTSOCK);
    kit_ends(r, kit_op(PONS_OP_READ, fds[1], &c, 1), -EBADF);
    kit_ends(r, kit_op(PONS_OP_WRITE, fds[0], &c, 1), -EBADF);
    kit_ends(r, kit_op(PONS_OP_WRITE, fds[1], NULL, 1), -EFAULT);
    kit_ends(r, kit_op(PONS_OP_NOP, -1, NULL, 7), 7);
    kit_forget(r, fds[0]);
    kit_forget(r, fds[1]);
    kit_close(r);
}

const struct kit_test kit_error_tests[] = {
    {"R4", "a bad descriptor is a result of every op", KIT_IO, NULL,
     error_bad_descriptors},
    {"R4", "a descriptor of the wrong kind is a result", KIT_IO, NULL,
     error_wrong_descriptors},
    {0},
};
