/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_connect.c - R9: connections that are accepted and made.
 */

#include "kit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CLIENTS = 8, MS = 1000000 };

static void
connect_check_accepted(int fd, const struct sockaddr_in *peer)
{
    KIT_WANT(fd >= 0, "ACCEPT: wanted a descriptor, found %d", fd);
    KIT_EQ(peer->sin_family, AF_INET, "the family of an ACCEPT's address");
    KIT_WANT(fcntl(fd, F_GETFD) & FD_CLOEXEC,
             "ACCEPT with SOCK_CLOEXEC: wanted close-on-exec, found none");
    KIT_WANT(fcntl(fd, F_GETFL) & O_NONBLOCK,
             "ACCEPT with SOCK_NONBLOCK: wanted non-blocking, found blocking");
}

static void
connect_accept_all(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct sockaddr_in address, peer;
    socklen_t size = sizeof peer;
    int listener = kit_tcp_listener(&address, SOCK_NONBLOCK);
    struct pons_op op = kit_op(PONS_OP_ACCEPT, listener, &peer, 0);
    int clients[CLIENTS];

    op.addr2 = &size;
    op.op_flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
    kit_pends(r, &op);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = kit_tcp_socket(0);
        kit_connect(clients[i], &address);
    }
    for (int i = 0; i < CLIENTS; i++) {
        int fd = i == 0 ? kit_await(r, &op) : kit_run(r, op);

        connect_check_accepted(fd, &peer);
        close(fd);
        close(clients[i]);
    }
    op.op_flags = 0;
    op.addr = op.addr2 = NULL;
    kit_pends(r, &op);
    r->ops->cancel(r, &op);
    (void)kit_await(r, &op);
    kit_forget(r, listener);
    kit_close(r);
}

/* To a listener, by a socket in one mode, which stays as it is. */
static void
connect_made(struct pons_reactor *r, int flags)
{
    struct sockaddr_in address;
    int listener = kit_tcp_listener(&address, SOCK_NONBLOCK);
    int fd = kit_tcp_socket(flags), other;

    kit_ends(r, kit_op(PONS_OP_CONNECT, fd, &address, sizeof address), 0);
    KIT_EQ(KIT_SYS(fcntl(fd, F_GETFL)) & O_NONBLOCK, flags ? O_NONBLOCK : 0,
           "O_NONBLOCK of a socket after CONNECT");
    other = kit_run(r, kit_op(PONS_OP_ACCEPT, listener, NULL, 0));
    KIT_WANT(other >= 0, "ACCEPT: wanted a descriptor, found %d", other);
    kit_ends(r, kit_op(PONS_OP_SEND, fd, "x", 1), 1);
    close(other);
    kit_forget(r, fd);
    kit_forget(r, listener);
}

static void
connect_refused(struct pons_reactor *r, int flags)
{
    struct sockaddr_in dead;
    int fd = kit_tcp_socket(flags);

    kit_tcp_nobody(&dead);
    kit_ends(r, kit_op(PONS_OP_CONNECT, fd, &dead, sizeof dead), -ECONNREFUSED);
    kit_forget(r, fd);
}

static void
connect_outcomes(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct sockaddr_un nowhere = {.sun_family = AF_UNIX,
                                  .sun_path = "/nowhere/at/all"};
    int fd;

    connect_made(r, 0);
    connect_made(r, SOCK_NONBLOCK);
    connect_refused(r, 0);
    connect_refused(r, SOCK_NONBLOCK);
    fd = KIT_SYS(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    kit_ends(r, kit_op(PONS_OP_CONNECT, fd, &nowhere, sizeof nowhere), -ENOENT);
    kit_forget(r, fd);
    kit_close(r);
}

/* Its queue takes one connection. */
static int
connect_unix_listener(struct sockaddr_un *address, socklen_t *size)
{
    int fd = KIT_SYS(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    KIT_SYS(bind(fd, (struct sockaddr *)address, sizeof(sa_family_t)));
    *size = sizeof *address;
    KIT_SYS(getsockname(fd, (struct sockaddr *)address, size));
    KIT_SYS(listen(fd, 0));
    return fd;
}

static int
connect_unix_socket(void)
{
    return KIT_SYS(
        socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

/* A unix listener whose queue is full says EAGAIN, which is no result. */
static void
connect_full(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct sockaddr_un address;
    socklen_t size;
    int listener = connect_unix_listener(&address, &size);
    int fds[3] = {connect_unix_socket(), connect_unix_socket(),
                  connect_unix_socket()};
    struct pons_op waits, gone;
    struct pons_event ev;

    kit_ends(r, kit_op(PONS_OP_CONNECT, fds[0], &address, size), 0);
    waits = kit_op(PONS_OP_CONNECT, fds[1], &address, size);
    kit_pends(r, &waits);
    kit_check_result(r->ops->poll(r, &ev, 1, kit_now() + 5 * MS), 0,
                     "poll while a CONNECT waits for room");
    close(KIT_SYS(accept(listener, NULL, NULL)));
    kit_awaits(r, &waits, 0);

    gone = kit_op(PONS_OP_CONNECT, fds[2], &address, size);
    kit_pends(r, &gone);
    r->ops->cancel(r, &gone);
    kit_awaits(r, &gone, -ECANCELED);
    for (int i = 0; i < 3; i++)
        kit_forget(r, fds[i]);
    close(listener);
    kit_close(r);
}

const struct kit_test kit_connect_tests[] = {
    {"R9", "accept takes all connections that there are", KIT_IO, NULL,
     connect_accept_all},
    {"R9", "connect says how it went", KIT_IO, NULL, connect_outcomes},
    {"R9", "connect waits for room in a unix listener", KIT_IO, "R11",
     connect_full},
    {0},
};
