/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_cancel.c - R5: cancel is a request; the op's event is the truth.
 */

#include "kit.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static void
cancel_some(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op gone[2], stays[3];
    char c[5];
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    stays[0] = kit_op(PONS_OP_RECV, fds[0], &c[0], 1);
    gone[0] = kit_op(PONS_OP_RECV, fds[0], &c[1], 1); // in the middle
    stays[1] = kit_op(PONS_OP_RECV, fds[0], &c[2], 1);
    gone[1] = kit_op(PONS_OP_RECV, fds[0], &c[3], 1); // and the last
    stays[2] = kit_op(PONS_OP_RECV, fds[0], &c[4], 1);
    kit_pends(r, &stays[0]);
    kit_pends(r, &gone[0]);
    kit_pends(r, &stays[1]);
    kit_pends(r, &gone[1]);
    for (int i = 0; i < 4; i++)
        r->ops->cancel(r, &gone[i % 2]);
    kit_await_all(r, gone, 2);
    for (int i = 0; i < 2; i++)
        kit_check_result(gone[i].res, -ECANCELED, "a RECV that is cancelled");
    kit_quiet(r);
    kit_pends(r, &stays[2]);
    kit_say(fds[1], "abc");
    kit_await_all(r, stays, 3);
    for (int i = 0; i < 3; i++)
        kit_check_result(stays[i].res, 1, "a RECV beside those cancelled");
    KIT_EQ(c[0] + c[2] + c[4], 'a' + 'b' + 'c',
           "the sum of the bytes that came");
    kit_close_pair(r, fds);
    kit_close(r);
}

static void
cancel_all(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op op, poll_op;
    char c;
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    for (int i = 0; i < 3; i++) {
        op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
        kit_pends(r, &op);
        poll_op = kit_op(PONS_OP_POLL, fds[0], NULL, POLLIN);
        kit_pends(r, &poll_op);
        r->ops->cancel(r, &op);
        kit_awaits(r, &op, -ECANCELED);
        r->ops->cancel(r, &poll_op);
        kit_awaits(r, &poll_op, -ECANCELED);
    }
    op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
    kit_pends(r, &op);
    kit_say(fds[1], "x");
    kit_awaits(r, &op, 1);
    kit_close_pair(r, fds);
    kit_close(r);
}

enum { BESIDE = 3 }; // ops that wait on one descriptor

/* Each waits for something else; the op `kind` is cancelled. */
static void
cancel_one_of(struct pons_reactor *r, int kind)
{
    struct pons_op kinds[BESIDE], ops[BESIDE];
    char c;
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    kit_fill(fds[0]);
    kinds[0] = kit_op(PONS_OP_RECV, fds[0], &c, 1);
    kinds[1] = kit_op(PONS_OP_SEND, fds[0], "x", 1);
    kinds[2] = kit_op(PONS_OP_POLL, fds[0], NULL, POLLIN);
    for (int i = 0; i < BESIDE; i++) {
        ops[i] = kinds[(kind + i) % BESIDE];
        kit_pends(r, &ops[i]);
    }
    kit_quiet(r); // what is registered with the kernel late, is now
    r->ops->cancel(r, &ops[0]);
    kit_awaits(r, &ops[0], -ECANCELED);
    kit_quiet(r);
    kit_drain(fds[1]);
    kit_say(fds[1], "x");
    KIT_SYS(shutdown(fds[1], SHUT_WR)); // a POLL after the RECV is told, too
    kit_await_all(r, &ops[1], BESIDE - 1);
    for (int i = 1; i < BESIDE; i++)
        KIT_WANT(ops[i].res > 0,
                 "an op beside one that is cancelled: wanted its result, found "
                 "%d",
                 ops[i].res);
    kit_close_pair(r, fds);
}

static void
cancel_beside(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);

    for (int kind = 0; kind < BESIDE; kind++)
        cancel_one_of(r, kind);
    kit_close(r);
}

/* Bytes are there for two; the event of the first is taken, and the second may
 * have ended inside of the engine: its event is the truth. */
static void
cancel_too_late(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op ops[2];
    struct pons_event ev;
    char c[2];
    int fds[2], n, other;

    kit_unix_pair(fds, SOCK_STREAM);
    for (int i = 0; i < 2; i++) {
        ops[i] = kit_op(PONS_OP_RECV, fds[0], &c[i], 1);
        kit_pends(r, &ops[i]);
    }
    kit_say(fds[1], "ab");
    do
        n = r->ops->poll(r, &ev, 1, PONS_NEVER);
    while (n == 0);
    KIT_EQ(n, 1, "poll with room for 1 event");
    other = ev.op == &ops[0];
    r->ops->cancel(r, &ops[other]);
    n = kit_await(r, &ops[other]);
    if (n == -ECANCELED)
        kit_ends(r, kit_op(PONS_OP_RECV, fds[0], &c[other], 1), 1);
    else
        kit_check_result(n, 1, "a RECV that is cancelled too late");
    kit_quiet(r);
    kit_close_pair(r, fds);
    kit_close(r);
}

static void
cancel_accept(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct sockaddr_in address;
    int listener = kit_tcp_listener(&address, SOCK_NONBLOCK);
    int client = kit_tcp_socket(0), fd;
    struct pons_op op = kit_op(PONS_OP_ACCEPT, listener, NULL, 0);

    kit_pends(r, &op);
    r->ops->cancel(r, &op);
    kit_awaits(r, &op, -ECANCELED);
    kit_connect(client, &address);
    fd = kit_run(r, kit_op(PONS_OP_ACCEPT, listener, NULL, 0));
    KIT_WANT(fd >= 0, "ACCEPT after a cancelled one: found %d", fd);
    close(fd);
    close(client);
    kit_forget(r, listener);
    kit_close(r);
}

/* Closed under it, which is a mistake: it may tell so, or end by its cancel. */
static void
cancel_closed(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op op;
    char c;
    int fds[2], res;

    kit_unix_pair(fds, SOCK_STREAM);
    op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
    kit_pends(r, &op);
    close(fds[0]);
    r->ops->cancel(r, &op);
    res = kit_await(r, &op);
    KIT_WANT(res == -ECANCELED || res == -EBADF,
             "a RECV that is cancelled when its descriptor is closed: wanted "
             "-ECANCELED or -EBADF, found %d",
             res);
    kit_quiet(r);
    close(fds[1]);
    kit_close(r);
}

const struct kit_test kit_cancel_tests[] = {
    {"R5", "a cancelled op ends once and consumes nothing", KIT_IO, NULL,
     cancel_some},
    {"R5", "a descriptor works after all its ops were cancelled", KIT_IO, NULL,
     cancel_all},
    {"R5", "a cancel leaves alone what waits beside the op", KIT_IO, NULL,
     cancel_beside},
    {"R5", "a cancel that comes too late changes nothing", KIT_ALL, NULL,
     cancel_too_late},
    {"R5", "a cancelled accept leaves the connection to the next", KIT_IO, NULL,
     cancel_accept},
    {"R5", "an op whose descriptor is closed ends by its cancel", KIT_IO, NULL,
     cancel_closed},
    {0},
};
