/* SPDX-License-Identifier: MIT */
/*
 * tests/instead_test.c - core/instead.c: what an engine does not know is done
 * by its POLL, and nobody can tell.
 */

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/instead.h"
#include "core/io.h"
#include "core/runtime.h"
#include "core/seat.h"
#include "everywhere.h"
#include "pons/socket.h"
#include "pons/time.h"

enum { MUCH = 1 << 20 };

static char much[MUCH], room[MUCH];

static struct msghdr
message(struct iovec *part)
{
    return (struct msghdr){.msg_iov = part, .msg_iovlen = 1};
}

/* A runtime whose engine is older than all this. */
static void
old_engine(const char *reactor, const char *workers, pons_fiber_f *fn)
{
    struct pons_runtime *rt = runtime_of(reactor, workers);
    struct pons_task *t;
    int64_t answer;

    for (unsigned i = 0; i < rt->seat_count; i++)
        rt->seats[i].reactor->opcodes[0] = (1u << (PONS_OP_POLL + 1)) - 1;
    CHECK_EQ(pons_spawn(rt, fn, NULL, &t), 0);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(answer, 0);
    pons_runtime_unref(rt);
}

static void
old_engines(pons_fiber_f *fn)
{
    static const char *const workers[] = {"1", "2", "4"};

    for (const char *const *r = reactors_here(); *r != NULL; r++)
        for (int i = 0; i < 3; i++)
            old_engine(*r, workers[i], fn);
}

static int64_t
send_it(void *s)
{
    struct iovec part = {much, sizeof much};
    struct msghdr m = message(&part);
    size_t sent = 0;
    int64_t n;

    while (sent < sizeof much) {
        part.iov_base = much + sent;
        part.iov_len = sizeof much - sent;
        n = pons_sendmsg(s, &m, 0);
        if (n < 0)
            return n;
        sent += (size_t)n;
    }
    return pons_shutdown(s, SHUT_WR);
}

static int64_t
transfers(void *arg)
{
    struct iovec part = {room, sizeof room};
    struct msghdr m = message(&part);
    struct pons_stream *s[2];
    struct agent a;
    int64_t n, sum = 0;

    (void)arg;
    for (size_t i = 0; i < sizeof much; i++)
        much[i] = (char)(i * 31);
    stream_pair(s);
    agent_start(&a, send_it, s[0]);
    while ((n = pons_recvmsg(s[1], &m, 0)) > 0) {
        sum += n;
        part.iov_base = room + sum;
        part.iov_len = sizeof room - (size_t)sum;
        if (part.iov_len == 0) {
            part.iov_base = room;
            part.iov_len = 1;
        }
    }
    CHECK_EQ(n, 0);
    CHECK_EQ(sum, MUCH);
    CHECK_EQ(memcmp(much + 1, room + 1, MUCH - 1), 0);
    CHECK_EQ(agent_join(&a), 0);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
    return 0;
}

static void
messages_wait_by_the_poll_of_an_old_engine(void)
{
    old_engines(transfers);
}

static int64_t
receive(void *s)
{
    char c;
    struct iovec part = {&c, 1};
    struct msghdr m = message(&part);

    return pons_recvmsg(s, &m, 0);
}

static int64_t
ends_early(void *arg)
{
    struct pons_stream *s[2];
    struct pons_task *t;
    int64_t result;
    char c;

    (void)arg;
    stream_pair(s);
    CHECK_EQ(pons_timeout(pons_after_ms(1), receive, s[0], NULL), -ETIME);
    CHECK_EQ(pons_spawn(NULL, receive, s[0], &t), 0);
    stream_until(s[0], 0, 1);
    pons_cancel(t);
    CHECK_EQ(pons_send(s[1], "x", 1), 1);
    CHECK_EQ(pons_join(t, &result), 0);
    CHECK(result == -ECANCELED || result == 1);
    if (result < 0)
        CHECK_EQ(pons_recv(s[0], &c, 1), 1); // nothing was consumed
    CHECK_EQ(pons_spawn(NULL, receive, s[0], &t), 0);
    stream_until(s[0], 0, 1);
    pons_stream_close(s[0]);
    CHECK_EQ(pons_join(t, &result), 0);
    CHECK_EQ(result, -ECANCELED);
    pons_stream_close(s[1]);
    return 0;
}

static void
a_cancel_reaches_the_poll(void)
{
    for (int i = 0; i < 20; i++)
        old_engines(ends_early);
}

static int64_t
is_told_of_errors(void *arg)
{
    struct iovec part = {room, 1};
    struct msghdr m = message(&part);
    struct pons_stream *s[2];

    (void)arg;
    stream_pipe(s);
    CHECK_EQ(pons_recvmsg(s[0], &m, 0), -ENOTSOCK);
    CHECK_EQ(pons_shutdown(s[1], SHUT_WR), -ENOTSOCK);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
    CHECK_EQ(pons_socket(&s[0], 99, SOCK_STREAM, 0), -EAFNOSUPPORT);
    return 0;
}

static void
errors_are_the_same(void)
{
    old_engines(is_told_of_errors);
}

static int
pends(struct pons_reactor *r, struct pons_op *op)
{
    (void)r;
    CHECK_EQ(op->opcode, PONS_OP_POLL);
    CHECK_EQ(op->len, POLLIN);
    return PONS_SUBMIT_PENDING;
}

static void
the_op_is_itself_again_afterwards(void)
{
    const struct pons_reactor_ops ops = {.submit = pends};
    struct pons_reactor r = {.ops = &ops};
    struct pons_op op = {.opcode = PONS_OP_RECV, .addr = room, .len = 77};
    int fds[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    op.fd = fds[0];
    CHECK_EQ(poni_instead_submit(&r, &op), PONS_SUBMIT_PENDING);
    CHECK_EQ(poni_op_user(&op), USER_INSTEAD);
    poni_instead_end(&op);
    CHECK_EQ(op.opcode, PONS_OP_RECV);
    CHECK_EQ(op.len, 77);
    CHECK_EQ(poni_op_user(&op), USER_STREAM);
    close(fds[0]);
    close(fds[1]);
}

/* poll(2) says that there is room, and sendmsg(2) that there is not: that must
 * not go on for ever on a worker. */
static int64_t
is_blind(void *arg)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct iovec part = {much, 1};
    struct msghdr m = message(&part);
    struct pons_stream *from, *to;
    int64_t n;

    (void)arg;
    snprintf(name.sun_path + 1, 60, "pons-instead-%d", (int)getpid());
    CHECK_EQ(pons_socket(&from, AF_UNIX, SOCK_DGRAM, 0), 0);
    CHECK_EQ(pons_socket(&to, AF_UNIX, SOCK_DGRAM, 0), 0);
    CHECK_EQ(bind(pons_stream_fd(to), (struct sockaddr *)&name, sizeof name),
             0);
    m.msg_name = &name;
    m.msg_namelen = sizeof name;
    do
        n = pons_sendmsg(from, &m, 0);
    while (n > 0);
    CHECK_EQ(n, -ENOBUFS);
    pons_stream_close(from);
    pons_stream_close(to);
    return 0;
}

static void
a_queue_that_no_poll_knows_is_no_endless_loop(void)
{
    old_engines(is_blind);
}

#define TEST(name)  \
    {               \
#name, name \
    }

static const struct unit_test tests[] = {
    TEST(messages_wait_by_the_poll_of_an_old_engine),
    TEST(a_cancel_reaches_the_poll),
    TEST(errors_are_the_same),
    TEST(the_op_is_itself_again_afterwards),
    TEST(a_queue_that_no_poll_knows_is_no_endless_loop),
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("instead", tests, argc, argv);
}
