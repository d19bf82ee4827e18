/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_error.c - R4: submit and cancel cannot fail; R9: which errno it
 * is. The same ops for both, and R4 asks no more than that it is a result.
 */

#include "kit.h"

#include <errno.h>
#include <unistd.h>

enum error_asks {
    A_RESULT, // R4
    ITS_NAME, // R9
};

static void
error_ends(struct pons_reactor *r, enum error_asks asks, struct pons_op op,
           int wanted)
{
    if (asks == ITS_NAME)
        kit_ends(r, op, wanted);
    else
        KIT_WANT(kit_run(r, op) < 0,
                 "an op that cannot work: wanted -errno as its result");
}

static void
error_bad_descriptors(struct kit *k, enum error_asks asks)
{
    struct pons_reactor *r = kit_open(k);
    int closed = KIT_SYS(dup(STDIN_FILENO));
    char c = 0;

    close(closed);
    for (int opcode = PONS_OP_ACCEPT; opcode <= PONS_OP_POLL; opcode++) {
        error_ends(r, asks, kit_op(opcode, -1, &c, 1), -EBADF);
        error_ends(r, asks, kit_op(opcode, closed, &c, 1), -EBADF);
    }
    kit_close(r);
}

static void
error_wrong_descriptors(struct kit *k, enum error_asks asks)
{
    struct pons_reactor *r = kit_open(k);
    char c = 0;
    int fds[2];

    kit_pipe(fds);
    error_ends(r, asks, kit_op(PONS_OP_RECV, fds[0], &c, 1), -ENOTSOCK);
    error_ends(r, asks, kit_op(PONS_OP_SEND, fds[1], &c, 1), -ENOTSOCK);
    error_ends(r, asks, kit_op(PONS_OP_ACCEPT, fds[0], NULL, 0), -ENOTSOCK);
    error_ends(r, asks, kit_op(PONS_OP_CONNECT, fds[0], &c, 1), -ENOTSOCK);
    error_ends(r, asks, kit_op(PONS_OP_READ, fds[1], &c, 1), -EBADF);
    error_ends(r, asks, kit_op(PONS_OP_WRITE, fds[0], &c, 1), -EBADF);
    error_ends(r, asks, kit_op(PONS_OP_WRITE, fds[1], NULL, 1), -EFAULT);
    kit_ends(r, kit_op(PONS_OP_NOP, -1, NULL, 7), 7);
    kit_forget(r, fds[0]);
    kit_forget(r, fds[1]);
    kit_close(r);
}

static void
error_bad_ends(struct kit *k)
{
    error_bad_descriptors(k, A_RESULT);
}

static void
error_bad_is_named(struct kit *k)
{
    error_bad_descriptors(k, ITS_NAME);
}

static void
error_wrong_ends(struct kit *k)
{
    error_wrong_descriptors(k, A_RESULT);
}

static void
error_wrong_is_named(struct kit *k)
{
    error_wrong_descriptors(k, ITS_NAME);
}

const struct kit_test kit_error_tests[] = {
    {"R4", "a bad descriptor is a result of every op", KIT_IO, NULL,
     error_bad_ends},
    {"R4", "a descriptor of the wrong kind is a result", KIT_IO, NULL,
     error_wrong_ends},
    {"R9", "a bad descriptor is EBADF to every op", KIT_IO, "R4",
     error_bad_is_named},
    {"R9", "a descriptor of the wrong kind has the system's errno", KIT_IO,
     "R4", error_wrong_is_named},
    {0},
};
