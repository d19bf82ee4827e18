/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_stream.c - R9: what streams of bytes give, and where they stop.
 *
 * The traps are short counts: of a stream one means that there is nothing more,
 * but not before its end, an urgent mark, or a descriptor that was passed.
 */

#include "kit.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ROOM = 16,      // for bytes; more than a test sends
    LONG = 8 << 20, // more bytes than a socket has room for
};

/* One RECV that has to wait until `then` is written. */
static void
stream_pends(struct pons_reactor *r, struct pons_op *op, int fd, char *text)
{
    *op = kit_op(PONS_OP_RECV, fd, text, ROOM);
    kit_pends(r, op);
}

static void
stream_recv(struct pons_reactor *r, int fd, int wanted, const char *bytes)
{
    char text[ROOM] = "";

    kit_ends(r, kit_op(PONS_OP_RECV, fd, text, sizeof text), wanted);
    KIT_WANT(memcmp(text, bytes, strlen(bytes)) == 0,
             "bytes of a RECV: wanted \"%s\", found \"%.*s\"", bytes,
             (int)strlen(bytes), text);
}

static void
stream_counts_of(struct pons_reactor *r, int fds[2])
{
    struct pons_op op;
    char text[ROOM];

    stream_pends(r, &op, fds[0], text);
    kit_say(fds[1], "abc");
    kit_awaits(r, &op, 3);

    /* One byte, and all that there is. */
    kit_say(fds[1], "defgh");
    kit_ends(r, kit_op(PONS_OP_RECV, fds[0], text, 1), 1);
    stream_recv(r, fds[0], 4, "efgh");

    /* Bytes and the end together, then the end again and again. */
    kit_say(fds[1], "ij");
    KIT_SYS(shutdown(fds[1], SHUT_WR));
    stream_recv(r, fds[0], 2, "ij");
    stream_recv(r, fds[0], 0, "");
    stream_recv(r, fds[0], 0, "");
    kit_ends(r, kit_op(PONS_OP_READ, fds[0], text, 1), 0);

    /* Half-closed: the other direction goes on. */
    kit_ends(r, kit_op(PONS_OP_SEND, fds[0], "k", 1), 1);
    kit_ends(r, kit_op(PONS_OP_WRITE, fds[0], "l", 1), 1);
    KIT_EQ(read(fds[1], text, 1) + read(fds[1], text, 1), 2,
           "bytes that came over a half-closed stream");
}

static void
stream_counts(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    stream_counts_of(r, fds);
    kit_close_pair(r, fds);
    kit_tcp_pair(fds);
    stream_counts_of(r, fds);
    kit_close_pair(r, fds);
    kit_close(r);
}

/* The end was reported together with the bytes, while an op waited: no report
 * comes after. */
static void
stream_end(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op op;
    char text[ROOM];
    int fds[2];

    kit_tcp_pair(fds);
    stream_pends(r, &op, fds[0], text);
    kit_quiet(r); // a first report, that it is writable, is over
    kit_say(fds[1], "abc");
    close(fds[1]);
    kit_awaits(r, &op, 3);
    stream_recv(r, fds[0], 0, "");
    kit_forget(r, fds[0]);
    kit_close(r);
}

static void
stream_urgent(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op op;
    char text[ROOM];
    int fds[2];

    kit_tcp_pair(fds);
    stream_pends(r, &op, fds[0], text);
    kit_quiet(r);
    KIT_SYS(send(fds[1], "abX", 3, MSG_OOB));
    kit_say(fds[1], "cd");
    kit_awaits(r, &op, 2);
    stream_recv(r, fds[0], 2, "cd");
    kit_close_pair(r, fds);
    kit_close(r);
}

static void
stream_pass_descriptor(int socket, int fd)
{
    char room[CMSG_SPACE(sizeof fd)] = {0};
    struct iovec part = {"a", 1};
    struct msghdr m = {.msg_iov = &part,
                       .msg_iovlen = 1,
                       .msg_control = room,
                       .msg_controllen = sizeof room};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    KIT_SYS(sendmsg(socket, &m, 0));
}

static void
stream_passed(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op op;
    char text[ROOM];
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    stream_pends(r, &op, fds[0], text);
    kit_quiet(r);
    stream_pass_descriptor(fds[1], fds[1]);
    kit_say(fds[1], "bc");
    kit_awaits(r, &op, 1); // recv(2) stops at a passed descriptor
    stream_recv(r, fds[0], 2, "bc");
    kit_close_pair(r, fds);
    kit_close(r);
}

static void
stream_peek(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op op;
    char text[ROOM];
    int fds[2];

    kit_tcp_pair(fds);
    op = kit_op(PONS_OP_RECV, fds[0], text, sizeof text);
    op.op_flags = MSG_PEEK;
    kit_pends(r, &op);
    kit_say(fds[1], "abc");
    kit_awaits(r, &op, 3);
    kit_ends(r, op, 3);
    stream_recv(r, fds[0], 3, "abc");
    kit_close_pair(r, fds);
    kit_close(r);
}

static void
stream_dontwait(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op op;
    char c = 0;
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    kit_say(fds[1], "x");
    for (int opcode = PONS_OP_RECV; opcode <= PONS_OP_SEND; opcode++) {
        op = kit_op(opcode, fds[0], &c, 1);
        op.op_flags = MSG_DONTWAIT;
        kit_ends(r, op, -EINVAL);
    }
    kit_ends(r, kit_op(PONS_OP_RECV, fds[0], &c, 1), 1);
    op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
    kit_pends(r, &op);
    r->ops->cancel(r, &op);
    (void)kit_await(r, &op);
    op.op_flags = MSG_DONTWAIT; // it is known that nothing is there
    kit_ends(r, op, -EINVAL);
    kit_close_pair(r, fds);
    kit_close(r);
}

static void
stream_reset(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct linger at_once = {.l_onoff = 1};
    struct pons_op op;
    char text[ROOM];
    int fds[2];

    kit_tcp_pair(fds);
    stream_pends(r, &op, fds[0], text);
    KIT_SYS(
        setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
    close(fds[1]);
    kit_awaits(r, &op, -ECONNRESET);
    kit_ends(r, kit_op(PONS_OP_SEND, fds[0], "x", 1), -EPIPE);
    kit_ends(r, kit_op(PONS_OP_WRITE, fds[0], "x", 1), -EPIPE);
    kit_forget(r, fds[0]);
    kit_close(r);
}

static void
stream_check_short(int res, const char *when)
{
    KIT_WANT(res > 0 && res < LONG,
             "SEND of %d bytes, for some of which there is room%s: wanted how "
             "many these are, found %d",
             LONG, when, res);
}

/* What there is room for is a result; the rest is another op's. */
static void
stream_sends(struct kit *k)
{
    static char bytes[LONG];
    struct pons_reactor *r = kit_open(k);
    struct pons_op op;
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    op = kit_op(PONS_OP_SEND, fds[0], bytes, sizeof bytes);
    stream_check_short(kit_run(r, op), "");
    kit_fill(fds[0]);
    kit_pends(r, &op);
    kit_drain(fds[1]);
    stream_check_short(kit_await(r, &op), " after a while");
    kit_close_pair(r, fds);
    kit_close(r);
}

const struct kit_test kit_stream_tests[] = {
    {"R9", "short counts, a half-close and the end are told", KIT_IO, NULL,
     stream_counts},
    {"R9", "short counts of what is sent are told", KIT_IO, NULL, stream_sends},
    {"R9", "the end behind a short count is found", KIT_IO, NULL, stream_end},
    {"R9", "bytes behind urgent data are found", KIT_IO, NULL, stream_urgent},
    {"R9", "bytes behind a passed descriptor are found", KIT_IO, NULL,
     stream_passed},
    {"R9", "a peek leaves the bytes", KIT_IO, NULL, stream_peek},
    {"R9", "MSG_DONTWAIT is EINVAL", KIT_IO, NULL, stream_dontwait},
    {"R9", "a reset is told and raises no signal", KIT_IO, NULL, stream_reset},
    {0},
};
