/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_thrift.c - R12: after warm-up an op costs no memory.
 */

#include "kit.h"

#include <sys/socket.h>

enum { WARM_UP = 10, ROUNDS = 1000 };

static void
thrift_round(struct pons_reactor *r, int fds[2])
{
    struct pons_op op;
    char c;

    op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
    kit_pends(r, &op);
    kit_say(fds[1], "x");
    kit_awaits(r, &op, 1);
    kit_ends(r, kit_op(PONS_OP_SEND, fds[0], "y", 1), 1);
    kit_drain(fds[1]);
    kit_drain(fds[0]); // of an engine that only pretends
}

static void
thrift_memory(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    long before;
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    for (int i = 0; i < WARM_UP; i++)
        thrift_round(r, fds);
    before = kit_host_asked();
    for (int i = 0; i < ROUNDS; i++)
        thrift_round(r, fds);
    KIT_EQ(kit_host_asked(), before,
           "pieces of memory asked for after %d rounds more", ROUNDS);
    kit_close_pair(r, fds);
    kit_close(r);
}

const struct kit_test kit_thrift_tests[] = {
    {"R12", "an op asks for no memory", KIT_ALL, NULL, thrift_memory},
    {0},
};
