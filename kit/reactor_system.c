/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_system.c - R9: the result is that of the system call.
 *
 * The system itself is asked: each call is made twice, on two descriptors that
 * were made alike, once by the engine and once directly. Where the system says
 * EAGAIN the engine has to wait.
 */

#include "kit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { ROOM = 16 };

/* --- kinds of descriptors: fds[0]; its other end is fds[1], or -1 --- */

static void
system_alone(int fds[2], int fd)
{
    fds[0] = fd;
    fds[1] = -1;
}

static void
system_swap(int fds[2])
{
    int fd = fds[0];

    fds[0] = fds[1];
    fds[1] = fd;
}

static void
system_close_other(int fds[2])
{
    close(fds[1]);
    fds[1] = -1;
}

static void
stream_empty(int fds[2])
{
    kit_unix_pair(fds, SOCK_STREAM);
}

static void
stream_bytes(int fds[2])
{
    kit_unix_pair(fds, SOCK_STREAM);
    kit_say(fds[1], "abc");
}

static void
stream_full(int fds[2])
{
    kit_unix_pair(fds, SOCK_STREAM);
    kit_fill(fds[0]);
}

static void
stream_closed(int fds[2])
{
    stream_bytes(fds);
    system_close_other(fds);
}

static void
stream_no_writing(int fds[2])
{
    kit_unix_pair(fds, SOCK_STREAM);
    KIT_SYS(shutdown(fds[0], SHUT_WR));
}

static void
stream_no_reading(int fds[2])
{
    kit_unix_pair(fds, SOCK_STREAM);
    KIT_SYS(shutdown(fds[0], SHUT_RD));
}

static void
tcp_connected(int fds[2])
{
    kit_tcp_pair(fds);
}

static void
tcp_half_closed(int fds[2])
{
    struct pollfd p = {.events = POLLRDHUP};

    kit_tcp_pair(fds);
    KIT_SYS(shutdown(fds[1], SHUT_WR));
    p.fd = fds[0];
    KIT_SYS(poll(&p, 1, -1)); // till it has come
}

static void
tcp_reset(int fds[2])
{
    struct pollfd p = {.events = POLLIN};
    struct linger at_once = {.l_onoff = 1};

    kit_tcp_pair(fds);
    KIT_SYS(
        setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
    system_close_other(fds);
    p.fd = fds[0];
    KIT_SYS(poll(&p, 1, -1)); // till it has come
}

static void
tcp_alone(int fds[2])
{
    system_alone(fds, kit_tcp_socket(SOCK_NONBLOCK));
}

static void
tcp_listens(int fds[2])
{
    struct sockaddr_in address;

    system_alone(fds, kit_tcp_listener(&address, SOCK_NONBLOCK));
}

static void
udp_alone(int fds[2])
{
    system_alone(
        fds,
        KIT_SYS(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)));
}

/* Connected to a port where nobody is, which has said so. That is not its own
 * port: while both are bound they differ. */
static void
udp_refused(int fds[2])
{
    struct pollfd p = {.events = POLLIN};
    struct sockaddr_in own, dead;
    int other[2];

    udp_alone(fds);
    kit_bind(fds[0], &own); // or it may be given the other's port
    udp_alone(other);
    kit_bind(other[0], &dead);
    close(other[0]);
    kit_connect(fds[0], &dead);
    kit_say(fds[0], "x");
    p.fd = fds[0];
    KIT_SYS(poll(&p, 1, -1));
}

static void
dgram_empty(int fds[2])
{
    kit_unix_pair(fds, SOCK_DGRAM);
}

static void
dgram_long(int fds[2])
{
    kit_unix_pair(fds, SOCK_DGRAM);
    kit_say(fds[1], "longer than there is room");
}

static void
dgram_nothing(int fds[2])
{
    kit_unix_pair(fds, SOCK_DGRAM);
    KIT_SYS(send(fds[1], "", 0, 0));
}

static void
dgram_closed(int fds[2])
{
    kit_unix_pair(fds, SOCK_DGRAM);
    system_close_other(fds);
}

static void
packets_closed(int fds[2])
{
    kit_unix_pair(fds, SOCK_SEQPACKET);
    system_close_other(fds);
}

static void
pipe_empty(int fds[2])
{
    kit_pipe(fds);
}

static void
pipe_bytes(int fds[2])
{
    kit_pipe(fds);
    kit_say(fds[1], "abc");
}

static void
pipe_no_writer(int fds[2])
{
    kit_pipe(fds);
    system_close_other(fds);
}

static void
pipe_room(int fds[2])
{
    kit_pipe(fds);
    system_swap(fds);
}

static void
pipe_full(int fds[2])
{
    kit_pipe(fds);
    kit_fill(fds[1]);
    system_swap(fds);
}

static void
pipe_no_reader(int fds[2])
{
    pipe_room(fds);
    system_close_other(fds);
}

static void
event_zero(int fds[2])
{
    system_alone(fds, KIT_SYS(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)));
}

static void
event_five(int fds[2])
{
    system_alone(fds, KIT_SYS(eventfd(5, EFD_CLOEXEC | EFD_NONBLOCK)));
}

static void
timer_silent(int fds[2])
{
    system_alone(fds, KIT_SYS(timerfd_create(CLOCK_MONOTONIC,
                                             TFD_CLOEXEC | TFD_NONBLOCK)));
}

static void
device_null(int fds[2])
{
    system_alone(fds, KIT_SYS(open("/dev/null", O_RDWR | O_CLOEXEC)));
}

static void
device_full(int fds[2])
{
    system_alone(fds, KIT_SYS(open("/dev/full", O_RDWR | O_CLOEXEC)));
}

static void
folder(int fds[2])
{
    system_alone(fds, KIT_SYS(open("/", O_RDONLY | O_CLOEXEC)));
}

static void
path_only(int fds[2])
{
    system_alone(fds, KIT_SYS(open("/", O_PATH | O_CLOEXEC)));
}

static void
file_bytes(int fds[2])
{
    system_alone(fds, kit_file());
    KIT_SYS(pwrite(fds[0], "abc", 3, 0));
}

static void
epoll_empty(int fds[2])
{
    system_alone(fds, KIT_SYS(epoll_create1(EPOLL_CLOEXEC)));
}

// clang-format off
static const struct system_kind {
    const char *name;
    void (*make)(int fds[2]);
} system_kinds[] = {
    {"an empty stream", stream_empty},
    {"a stream with bytes", stream_bytes},
    {"a stream that is full", stream_full},
    {"a stream that was closed", stream_closed},
    {"a stream that is shut for writing", stream_no_writing},
    {"a stream that is shut for reading", stream_no_reading},
    {"a TCP stream", tcp_connected},
    {"a TCP stream that is half-closed", tcp_half_closed},
    {"a TCP stream that was reset", tcp_reset},
    {"an unconnected TCP socket", tcp_alone},
    {"a listening socket", tcp_listens},
    {"an unconnected UDP socket", udp_alone},
    {"a UDP socket that was refused", udp_refused},
    {"an empty datagram socket", dgram_empty},
    {"a datagram longer than the room", dgram_long},
    {"a datagram of no bytes", dgram_nothing},
    {"a datagram socket without peer", dgram_closed},
    {"a packet socket without peer", packets_closed},
    {"an empty pipe", pipe_empty},
    {"a pipe with bytes", pipe_bytes},
    {"a pipe without writer", pipe_no_writer},
    {"a pipe with room", pipe_room},
    {"a pipe that is full", pipe_full},
    {"a pipe without reader", pipe_no_reader},
    {"an eventfd of 0", event_zero},
    {"an eventfd of 5", event_five},
    {"a timerfd", timer_silent},
    {"/dev/null", device_null},
    {"/dev/full", device_full},
    {"a folder", folder},
    {"a descriptor of a path only", path_only},
    {"a file", file_bytes},
    {"an epoll set", epoll_empty},
};

/* --- calls --- */

/* A READ or WRITE of no bytes is left out: read(2) and preadv2(2) differ. */
static const struct system_call {
    const char *name;
    int opcode, has_buffer, len, flags;
} system_calls[] = {
    {"RECV", PONS_OP_RECV, 1, ROOM, 0},
    {"RECV of no bytes", PONS_OP_RECV, 1, 0, 0},
    {"RECV to nowhere", PONS_OP_RECV, 0, ROOM, 0},
    {"RECV with MSG_PEEK", PONS_OP_RECV, 1, ROOM, MSG_PEEK},
    {"RECV with MSG_TRUNC", PONS_OP_RECV, 1, ROOM, MSG_TRUNC},
    {"RECV with MSG_OOB", PONS_OP_RECV, 1, ROOM, MSG_OOB},
    {"SEND", PONS_OP_SEND, 1, ROOM, 0},
    {"SEND of no bytes", PONS_OP_SEND, 1, 0, 0},
    {"SEND from nowhere", PONS_OP_SEND, 0, ROOM, 0},
    {"READ", PONS_OP_READ, 1, ROOM, 0},
    {"READ to nowhere", PONS_OP_READ, 0, ROOM, 0},
    {"WRITE", PONS_OP_WRITE, 1, ROOM, 0},
    {"WRITE from nowhere", PONS_OP_WRITE, 0, ROOM, 0},
    {"ACCEPT", PONS_OP_ACCEPT, 0, 0, 0},
    {"POLL of POLLIN", PONS_OP_POLL, 0, POLLIN, 0},
    {"POLL of POLLOUT", PONS_OP_POLL, 0, POLLOUT, 0},
    {"POLL of both", PONS_OP_POLL, 0, POLLIN | POLLOUT, 0},
    {"POLL of POLLPRI", PONS_OP_POLL, 0, POLLPRI, 0},
    {"POLL of POLLRDHUP", PONS_OP_POLL, 0, POLLRDHUP, 0},
    {"POLL of nothing", PONS_OP_POLL, 0, 0, 0},
};
// clang-format on

static ssize_t
system_makes(const struct pons_op *op)
{
    struct pollfd p = {.fd = op->fd, .events = (short)op->len};
    int flags = (int)op->op_flags | MSG_DONTWAIT | MSG_NOSIGNAL;

    switch (op->opcode) {
    case PONS_OP_RECV:
        return recv(op->fd, op->addr, op->len, flags);
    case PONS_OP_SEND:
        return send(op->fd, op->addr, op->len, flags);
    case PONS_OP_READ:
        return read(op->fd, op->addr, op->len);
    case PONS_OP_WRITE:
        return write(op->fd, op->addr, op->len);
    case PONS_OP_ACCEPT:
        return accept4(op->fd, NULL, NULL, SOCK_CLOEXEC);
    default:
        return poll(&p, 1, 0) == 0 ? -EAGAIN : p.revents;
    }
}

/* What the system says; the descriptor is non-blocking. */
static int
system_says(const struct pons_op *op)
{
    ssize_t n;

    signal(SIGPIPE, SIG_IGN);
    n = system_makes(op);
    if (n < 0 && op->opcode != PONS_OP_POLL)
        n = -errno;
    signal(SIGPIPE, SIG_DFL);
    if (n == POLLNVAL && op->opcode == PONS_OP_POLL)
        n = -EBADF; // a bad descriptor is a result
    return (int)n;
}

static struct pons_op
system_op(const struct system_call *call, int fd, void *buffer)
{
    struct pons_op op = kit_op(
        call->opcode, fd, call->has_buffer ? buffer : NULL, (size_t)call->len);

    op.op_flags = (uint32_t)call->flags;
    return op;
}

/* What the engine says; -EAGAIN: it waits. Files may be left to the pool. */
static int
system_engine_says(struct pons_reactor *r, struct pons_op *op, int wanted)
{
    struct pons_event ev;
    int n;

    switch (kit_submit(r, op)) {
    case PONS_SUBMIT_DONE:
        return op->res;
    case PONS_SUBMIT_UNSUPPORTED:
        return wanted;
    }
    if (wanted != -EAGAIN)
        return kit_await(r, op);
    n = r->ops->poll(r, &ev, 1, 0);
    if (n == 1)
        return ev.res;
    r->ops->cancel(r, op);
    n = kit_await(r, op);
    return n == -ECANCELED ? -EAGAIN : n;
}

static void
system_pair(const struct system_kind *kind, int fds[2])
{
    kind->make(fds);
    (void)fcntl(fds[0], F_SETFL, fcntl(fds[0], F_GETFL) | O_NONBLOCK);
}

static void
system_close_pair(int fds[2])
{
    close(fds[0]);
    if (fds[1] >= 0)
        close(fds[1]);
}

static void
system_compare(struct pons_reactor *r, const struct system_kind *kind,
               const struct system_call *call)
{
    char buffer[ROOM] = "", what[128];
    struct pons_op op;
    int fds[2], wanted, found;

    snprintf(what, sizeof what, "%s on %s", call->name, kind->name);
    system_pair(kind, fds);
    op = system_op(call, fds[0], buffer);
    wanted = system_says(&op);
    system_close_pair(fds);

    system_pair(kind, fds);
    op = system_op(call, fds[0], buffer);
    found = system_engine_says(r, &op, wanted);
    kit_check_result(found, wanted, "%s", what);
    if (r->ops->forget != NULL)
        kit_check_result(r->ops->forget(r, fds[0]), 0, "forget");
    system_close_pair(fds);
}

static void
system_agrees(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);

    for (size_t i = 0; i < sizeof system_kinds / sizeof *system_kinds; i++)
        for (size_t c = 0; c < sizeof system_calls / sizeof *system_calls; c++)
            system_compare(r, &system_kinds[i], &system_calls[c]);
    kit_close(r);
}

const struct kit_test kit_system_tests[] = {
    {"R9", "every call on every kind of descriptor is as the system's", KIT_IO,
     "R4", system_agrees},
    {0},
};
