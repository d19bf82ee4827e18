/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_thrift.c - R12: after warm-up an op costs no memory, and no
 * engine has threads that it does not declare (there is no way to declare some
 * yet).
 */

#include "kit.h"

#include <poll.h>
#include <sys/socket.h>

enum {
    WARM_UP = 10,
    ROUNDS = 1000,
    CHUNK = 16, // malloc's least is more
};

/* An op that waits in vain. */
static void
thrift_cancelled(struct pons_reactor *r, struct pons_op op)
{
    kit_pends(r, &op);
    r->ops->cancel(r, &op);
    (void)kit_await(r, &op);
}

static void
thrift_round(struct pons_reactor *r, int fds[2])
{
    struct pons_op op;
    char c;

    thrift_cancelled(r, kit_op(PONS_OP_RECV, fds[0], &c, 1));
    thrift_cancelled(r, kit_op(PONS_OP_POLL, fds[0], NULL, POLLIN));
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

/* Of malloc(3): a pons_host is not the only source. What it keeps for itself
 * changes by a little; what is left by each of ROUNDS does not. */
static void
thrift_no_leak(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    size_t before;
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    for (int i = 0; i < WARM_UP; i++)
        thrift_round(r, fds);
    before = kit_heap();
    for (int i = 0; i < ROUNDS; i++)
        thrift_round(r, fds);
    KIT_WANT(kit_heap() < before + ROUNDS * CHUNK,
             "heap in use after %d rounds more: wanted as much as before, "
             "found %zu bytes more",
             ROUNDS, kit_heap() - before);
    kit_close_pair(r, fds);
    kit_close(r);
}

/* Descriptors come and go; what one needs is for the next one, too. */
static void
thrift_connection(struct pons_reactor *r)
{
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    thrift_round(r, fds);
    kit_close_pair(r, fds);
}

static void
thrift_of_connections(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    long asked;

    for (int i = 0; i < WARM_UP; i++)
        thrift_connection(r);
    asked = kit_host_asked();
    for (int i = 0; i < ROUNDS; i++)
        thrift_connection(r);
    KIT_EQ(kit_host_asked(), asked,
           "pieces of memory asked for after %d descriptors more", ROUNDS);
    kit_close(r);
}

static void
thrift_no_thread(struct kit *k)
{
    int before = kit_threads(), fds[2];
    struct pons_reactor *r = kit_open(k);

    kit_unix_pair(fds, SOCK_STREAM);
    thrift_round(r, fds);
    KIT_EQ(kit_threads(), before, "threads while the engine is open");
    kit_close_pair(r, fds);
    kit_close(r);
}

static void
thrift_asleep(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);

    KIT_WANT(kit_sleeps(r), "poll spins instead of sleeping");
    kit_close(r);
}

const struct kit_test kit_thrift_tests[] = {
    {"R12", "an op asks for no memory", KIT_ALL, NULL, thrift_memory},
    {"R12", "an op leaves nothing on the heap", KIT_ALL, NULL, thrift_no_leak},
    {"R12", "a descriptor that comes and goes asks for no memory", KIT_IO, NULL,
     thrift_of_connections},
    {"R12", "there are no threads", KIT_ALL, NULL, thrift_no_thread},
    {"R12", "poll sleeps when there is nothing to do", KIT_ALL, "R11",
     thrift_asleep},
    {0},
};
