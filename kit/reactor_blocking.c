/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_blocking.c - R9: a descriptor in blocking mode never blocks the
 * owner, and stays in that mode.
 *
 * An engine that blocks in submit shows as a test that hangs.
 */

#include "kit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MORE = 5000 }; // bytes; a pipe takes so many in two steps

static void
blocking_stays(int fd)
{
    KIT_EQ(KIT_SYS(fcntl(fd, F_GETFL)) & O_NONBLOCK, 0,
           "O_NONBLOCK of a descriptor that was in blocking mode");
}

/* `opcode` writes to fds[0], which is full, until `other` is drained. */
static void
blocking_write(struct pons_reactor *r, int opcode, int fd, int other)
{
    static char bytes[MORE];
    struct pons_op op = kit_op(opcode, fd, bytes, sizeof bytes);
    int res;

    kit_fill(fd);
    kit_pends(r, &op);
    kit_drain(other);
    res = kit_await(r, &op);
    KIT_WANT(res > 0, "a write that waited for room: wanted bytes, found %d",
             res);
}

static void
blocking_socket(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op op;
    char c;
    int fds[2];

    KIT_SYS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
    op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
    kit_pends(r, &op);
    kit_say(fds[1], "x");
    kit_awaits(r, &op, 1);
    blocking_write(r, PONS_OP_SEND, fds[0], fds[1]);
    blocking_stays(fds[0]);
    kit_close_pair(r, fds);
    kit_close(r);
}

static void
blocking_pipe(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op op;
    char c;
    int fds[2];

    KIT_SYS(pipe2(fds, O_CLOEXEC));
    op = kit_op(PONS_OP_READ, fds[0], &c, 1);
    kit_pends(r, &op);
    kit_say(fds[1], "x");
    kit_awaits(r, &op, 1);
    blocking_write(r, PONS_OP_WRITE, fds[1], fds[0]);
    blocking_stays(fds[0]);
    blocking_stays(fds[1]);
    kit_forget(r, fds[0]);
    kit_forget(r, fds[1]);
    kit_close(r);
}

static void
blocking_listener(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct sockaddr_in address;
    int listener = kit_tcp_listener(&address, 0);

    kit_ends(r, kit_op(PONS_OP_ACCEPT, listener, NULL, 0), -EINVAL);
    kit_forget(r, listener);
    kit_close(r);
}

const struct kit_test kit_blocking_tests[] = {
    {"R9", "a socket in blocking mode does not block the owner", KIT_IO, NULL,
     blocking_socket},
    {"R9", "a pipe in blocking mode does not block the owner", KIT_IO, NULL,
     blocking_pipe},
    {"R9", "a listener in blocking mode is EINVAL", KIT_IO, NULL,
     blocking_listener},
    {0},
};
