/* SPDX-License-Identifier: MIT */
/*
 * tests/socket_test.c - sockets made, messages, half a close.
 */

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "everywhere.h"
#include "localhost.h"
#include "pons/socket.h"
#include "pons/time.h"
#include "refused.h"

static struct msghdr
message(struct iovec *parts, size_t count)
{
    return (struct msghdr){.msg_iov = parts, .msg_iovlen = count};
}

/* The future form, as a task of its own where there are tasks. */
static int64_t
run_future(struct pons_future *f)
{
    struct pons_task *t;
    int64_t result;

    if (pons_runtime_current() == NULL)
        return pons_await(f);
    CHECK_EQ(pons_spawn_future(NULL, f, &t), 0);
    CHECK_EQ(pons_join(t, &result), 0);
    return result;
}

/* --- messages --- */

struct sent {
    struct pons_stream *s;
    const char *text;
};

static int64_t
send_text(void *arg)
{
    struct sent *m = arg;
    struct iovec parts[2] = {
        {(void *)(uintptr_t)m->text, 1},
        {(void *)(uintptr_t)(m->text + 1), strlen(m->text) - 1}};
    struct msghdr out = message(parts, 2);

    let_others_run();
    return pons_sendmsg(m->s, &out, 0);
}

static void
messages_body(void *arg)
{
    char a[2], b[8];
    struct iovec parts[2] = {{a, sizeof a}, {b, sizeof b}};
    struct msghdr in = message(parts, 2);
    struct pons_stream *s[2];
    struct pons_recvmsg r;
    struct sent m;
    struct agent other;

    (void)arg;
    stream_pair(s);
    m = (struct sent){s[1], "hello"};
    agent_start(&other, send_text, &m);
    CHECK_EQ(pons_recvmsg(s[0], &in, 0), 5); // it waited
    CHECK_EQ(memcmp(a, "he", 2) | memcmp(b, "llo", 3), 0);
    CHECK_EQ(agent_join(&other), 5);
    agent_start(&other, send_text, &m);
    pons_recvmsg_init(&r, s[0], &in, MSG_PEEK);
    CHECK_EQ(run_future(&r.base), 5);
    CHECK_EQ(pons_recvmsg(s[0], &in, 0), 5);
    CHECK_EQ(agent_join(&other), 5);
    CHECK_EQ(pons_recvmsg(s[0], &in, MSG_DONTWAIT), -EINVAL);
    CHECK_EQ(pons_recvmsg(s[0], &in, MSG_WAITALL), -EINVAL);
    CHECK_EQ(pons_sendmsg(s[0], &in, MSG_DONTWAIT), -EINVAL);
    pons_stream_close(s[1]);
    CHECK_EQ(pons_recvmsg(s[0], &in, 0), 0);
    CHECK_EQ(pons_sendmsg(s[0], &in, 0), -EPIPE); // and no SIGPIPE
    pons_stream_close(s[0]);
    stream_pipe(s);
    CHECK_EQ(pons_recvmsg(s[0], &in, 0), -ENOTSOCK);
    CHECK_EQ(pons_sendmsg(s[1], &in, 0), -ENOTSOCK);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
}

static void
messages_arrive_in_parts(void)
{
    everywhere(messages_body, NULL);
}

static void
rights_body(void *arg)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = {0}};
    struct iovec part = {(char[1]){'x'}, 1};
    struct msghdr m = message(&part, 1);
    struct pons_stream *s[2];
    int fds[2], got;

    (void)arg;
    stream_pair(s);
    CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
    m.msg_control = control.bytes;
    m.msg_controllen = sizeof control.bytes;
    *CMSG_FIRSTHDR(&m) = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                                          .cmsg_type = SCM_RIGHTS,
                                          .cmsg_len = CMSG_LEN(sizeof(int))};
    memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &fds[0], sizeof(int));
    CHECK_EQ(pons_sendmsg(s[0], &m, 0), 1);
    memset(control.bytes, 0, sizeof control.bytes);
    CHECK_EQ(pons_recvmsg(s[1], &m, MSG_CMSG_CLOEXEC), 1);
    CHECK(CMSG_FIRSTHDR(&m) != NULL);
    memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
    CHECK_EQ(fcntl(got, F_GETFD), FD_CLOEXEC);
    close(got);
    close(fds[0]);
    close(fds[1]);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
}

static void
descriptors_travel_in_messages(void)
{
    everywhere(rights_body, NULL);
}

static void
datagram_body(void *arg)
{
    struct sockaddr_in here = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
                       from = {.sin_port = 0};
    socklen_t size = sizeof here;
    char text[2];
    struct iovec out = {(char[]){"abc"}, 3}, in = {text, sizeof text};
    struct msghdr m = message(&out, 1);
    struct pons_stream *a, *b;

    (void)arg;
    CHECK_EQ(pons_socket(&a, AF_INET, SOCK_DGRAM, 0), 0);
    CHECK_EQ(pons_socket(&b, AF_INET, SOCK_DGRAM, IPPROTO_UDP), 0);
    CHECK_EQ(bind(pons_stream_fd(b), (struct sockaddr *)&here, size), 0);
    CHECK_EQ(getsockname(pons_stream_fd(b), (struct sockaddr *)&here, &size),
             0);
    m.msg_name = &here;
    m.msg_namelen = size;
    CHECK_EQ(pons_sendmsg(a, &m, 0), 3);
    m = message(&in, 1);
    m.msg_name = &from;
    m.msg_namelen = sizeof from;
    CHECK_EQ(pons_recvmsg(b, &m, 0), 2);
    CHECK(m.msg_flags & MSG_TRUNC);
    CHECK_EQ(m.msg_namelen, sizeof from);
    CHECK_EQ(from.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    pons_stream_close(a);
    pons_stream_close(b);
}

static void
datagrams_carry_addresses(void)
{
    everywhere(datagram_body, NULL);
}

/* Lines were read, and more bytes with them: those come first. */
static void
ahead_body(void *arg)
{
    char line[8], a[1], b[4];
    struct iovec parts[2] = {{a, sizeof a}, {b, sizeof b}};
    struct sockaddr_in name;
    struct msghdr m = message(parts, 2);
    struct pons_stream *s[2];

    (void)arg;
    stream_pair(s);
    CHECK_EQ(pons_send(s[1], "l\nrest", 6), 6);
    CHECK_EQ(pons_read_line(s[0], line, sizeof line), 1);
    m.msg_name = &name;
    m.msg_namelen = sizeof name;
    CHECK_EQ(pons_recvmsg(s[0], &m, MSG_PEEK), 4);
    CHECK_EQ(pons_recvmsg(s[0], &m, 0), 4);
    CHECK_EQ(memcmp(a, "r", 1) | memcmp(b, "est", 3), 0);
    CHECK_EQ(m.msg_namelen | m.msg_controllen, 0);
    CHECK_EQ(m.msg_flags, 0);
    CHECK_EQ(pons_send(s[1], "z", 1), 1);
    CHECK_EQ(pons_recvmsg(s[0], &m, 0), 1);
    CHECK_EQ(a[0], 'z');
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
}

static void
bytes_behind_a_line_come_with_the_next_message(void)
{
    everywhere(ahead_body, NULL);
}

static int64_t
receive(void *arg)
{
    char c;
    struct iovec part = {&c, 1};
    struct msghdr m = message(&part, 1);

    return pons_recvmsg(arg, &m, 0);
}

/* Who receives does not hold up who sends. */
static void
ways_body(void *arg)
{
    struct iovec part = {(char[1]){'x'}, 1};
    struct msghdr m = message(&part, 1);
    struct pons_stream *s[2];
    struct agent a;
    char c;

    (void)arg;
    stream_pair(s);
    agent_start(&a, receive, s[0]);
    stream_until(s[0], 0, 1);
    CHECK_EQ(pons_sendmsg(s[0], &m, 0), 1);
    CHECK_EQ(pons_recv(s[1], &c, 1), 1);
    CHECK_EQ(pons_send(s[1], "y", 1), 1);
    CHECK_EQ(agent_join(&a), 1);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
}

static void
messages_go_both_ways(void)
{
    everywhere(ways_body, NULL);
}

static void
cancel_body(void *arg)
{
    struct pons_stream *s[2];
    struct pons_task *t;
    int64_t result;
    char c;

    (void)arg;
    stream_pair(s);
    CHECK_EQ(pons_timeout(pons_after_ms(1), receive, s[0], &result), -ETIME);
    CHECK_EQ(pons_spawn(NULL, receive, s[0], &t), 0);
    stream_until(s[0], 0, 1);
    pons_cancel(t);
    CHECK_EQ(pons_join(t, &result), 0);
    CHECK_EQ(result, -ECANCELED);
    CHECK_EQ(pons_send(s[1], "x", 1), 1);
    CHECK_EQ(pons_recv(s[0], &c, 1), 1); // nothing was consumed
    CHECK_EQ(pons_spawn(NULL, receive, s[0], &t), 0);
    stream_until(s[0], 0, 1);
    pons_stream_close(s[0]);
    CHECK_EQ(pons_join(t, &result), 0);
    CHECK_EQ(result, -ECANCELED);
    pons_stream_close(s[1]);
}

static void
a_cancelled_message_has_consumed_nothing(void)
{
    everywhere_in_fibers(cancel_body, NULL);
}

/* --- a full queue of somebody else's --- */

struct blind {
    struct pons_stream *from, *to;
    struct sockaddr_un name;
};

static int64_t
send_to_name(void *arg)
{
    struct blind *b = arg;
    struct iovec part = {(char[1]){'x'}, 1};
    struct msghdr m = message(&part, 1);

    m.msg_name = &b->name;
    m.msg_namelen = sizeof b->name;
    return pons_sendmsg(b->from, &m, 0);
}

/* By somebody else, so that nothing is heard of it. How many. */
static int
fill_queue(const struct blind *b)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int n = 0;

    while (sendto(fd, "y", 1, 0, (const struct sockaddr *)&b->name,
                  sizeof b->name) == 1)
        n++;
    CHECK_EQ(errno, EAGAIN);
    close(fd);
    return n;
}

static void
blind_body(void *arg)
{
    struct blind b = {.name = {.sun_family = AF_UNIX}};
    struct agent a;
    char c = 'y';
    int n;

    (void)arg;
    snprintf(b.name.sun_path + 1, 60, "pons-blind-%d", (int)getpid());
    CHECK_EQ(pons_socket(&b.from, AF_UNIX, SOCK_DGRAM, 0), 0);
    CHECK_EQ(pons_socket(&b.to, AF_UNIX, SOCK_DGRAM, 0), 0);
    CHECK_EQ(
        bind(pons_stream_fd(b.to), (struct sockaddr *)&b.name, sizeof b.name),
        0);
    n = fill_queue(&b);
    agent_start(&a, send_to_name, &b);
    stream_until(b.from, 1, 1);
    for (int i = 0; i < 10; i++)
        let_others_run(); // so that what poll(2) says has been heard
    while (n-- > 0) {
        CHECK_EQ(pons_recv(b.to, &c, 1), 1);
        CHECK_EQ(c, 'y');
    }
    CHECK_EQ(pons_recv(b.to, &c, 1), 1);
    CHECK_EQ(c, 'x');
    CHECK_EQ(agent_join(&a), 1);
    pons_stream_close(b.from);
    pons_stream_close(b.to);
}

static void
a_message_waits_for_room_that_poll_does_not_know_of(void)
{
    everywhere(blind_body, NULL);
}

/* --- shutdown --- */

static int64_t
receive_one(void *s)
{
    char c;

    return pons_recv(s, &c, 1);
}

static void
shutdown_body(void *arg)
{
    struct pons_shutdown h;
    struct pons_stream *s[2];
    struct agent a;
    char text[4];

    (void)arg;
    stream_pair(s);
    CHECK_EQ(pons_send(s[0], "abc", 3), 3);
    CHECK_EQ(pons_shutdown(s[0], SHUT_WR), 0);
    CHECK_EQ(pons_recv(s[1], text, sizeof text), 3);
    CHECK_EQ(pons_recv(s[1], text, sizeof text), 0);
    CHECK_EQ(pons_send(s[0], "d", 1), -EPIPE);
    agent_start(&a, receive_one, s[0]);
    stream_until(s[0], 0, 1);
    pons_shutdown_init(&h, s[0], SHUT_RD); // past who waits
    CHECK_EQ(run_future(&h.base), 0);
    CHECK_EQ(agent_join(&a), 0);
    CHECK_EQ(pons_shutdown(s[0], 99), -EINVAL);
    CHECK_EQ(pons_shutdown(s[0], SHUT_RDWR), 0);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
    CHECK_EQ(pons_socket(&s[0], AF_INET, SOCK_STREAM, 0), 0);
    CHECK_EQ(pons_shutdown(s[0], SHUT_WR), -ENOTCONN);
    pons_stream_close(s[0]);
    stream_pipe(s);
    CHECK_EQ(pons_shutdown(s[1], SHUT_WR), -ENOTSOCK);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
}

static void
shutdown_ends_a_direction(void)
{
    everywhere(shutdown_body, NULL);
}

enum { MUCH = 1 << 20 };

static int64_t
send_much(void *s)
{
    static char much[MUCH];

    return pons_send_all(s, much, MUCH);
}

static int64_t
shut(void *s)
{
    return pons_shutdown(s, SHUT_WR);
}

static void
order_body(void *arg)
{
    static char room[MUCH];
    struct pons_stream *s[2];
    struct agent sender, ender;
    int64_t n, sum = 0;

    (void)arg;
    stream_pair(s);
    agent_start(&sender, send_much, s[0]);
    stream_until(s[0], 1, 1);
    agent_start(&ender, shut, s[0]);
    stream_until(s[0], 1, 2); // behind it
    while ((n = pons_recv(s[1], room, sizeof room)) > 0)
        sum += n;
    CHECK_EQ(n, 0);
    CHECK_EQ(sum, MUCH);
    CHECK_EQ(agent_join(&sender), MUCH);
    CHECK_EQ(agent_join(&ender), 0);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
}

static void
shutdown_comes_after_what_was_sent_before(void)
{
    everywhere(order_body, NULL);
}

/* --- socket --- */

static void
socket_body(void *arg)
{
    struct pons_stream *s, *listener, *taken;
    struct pons_socket f;
    struct sockaddr_in there;
    socklen_t size = sizeof there;

    (void)arg;
    CHECK_EQ(pons_socket(&s, AF_INET, SOCK_STREAM, 99), -EPROTONOSUPPORT);
    CHECK(s == NULL);
    CHECK_HAS(pons_last_error(), "socket");
    CHECK_EQ(pons_socket(&s, 99, SOCK_STREAM, 0), -EAFNOSUPPORT);
    CHECK_EQ(socket(AF_INET, 99, 0), -1); // qemu has an errno of its own
    CHECK_EQ(pons_socket(&s, AF_INET, 99, 0), -errno);
    CHECK_EQ(pons_tcp_listen(&listener, "127.0.0.1", "0", 0), 0);
    CHECK_EQ(
        getsockname(pons_stream_fd(listener), (struct sockaddr *)&there, &size),
        0);
    pons_socket_init(&f, &s, AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(run_future(&f.base), 0);
    CHECK_EQ(fcntl(pons_stream_fd(s), F_GETFD), FD_CLOEXEC);
    CHECK(fcntl(pons_stream_fd(s), F_GETFL) & O_NONBLOCK);
    CHECK_EQ(pons_connect(s, (struct sockaddr *)&there, size), 0);
    CHECK_EQ(pons_accept(listener, &taken), 0);
    CHECK_EQ(pons_send(s, "x", 1), 1);
    CHECK_EQ(receive_one(taken), 1);
    pons_stream_close(s);
    pons_stream_close(taken);
    pons_stream_close(listener);
}

static void
a_socket_is_made_and_connects(void)
{
    everywhere(socket_body, NULL);
}

static void
calls_of_ours(struct pons_stream *s)
{
    struct pons_stream *new;
    struct msghdr m = {.msg_iovlen = 0};

    CHECK_EQ(pons_socket(&new, AF_INET, SOCK_STREAM, 0), -EDEADLK);
    CHECK_EQ(pons_recvmsg(s, &m, 0), -EDEADLK);
    CHECK_EQ(pons_sendmsg(s, &m, 0), -EDEADLK);
    CHECK_EQ(pons_shutdown(s, SHUT_WR), -EDEADLK);
    CHECK_HAS(pons_last_error(), "struct pons_shutdown");
}

static void
calls_inside_poll_are_refused(void)
{
    refused_inside_poll(calls_of_ours);
}

#define TEST(name)  \
    {               \
#name, name \
    }

static const struct unit_test tests[] = {
    TEST(messages_arrive_in_parts),
    TEST(descriptors_travel_in_messages),
    TEST(datagrams_carry_addresses),
    TEST(bytes_behind_a_line_come_with_the_next_message),
    TEST(messages_go_both_ways),
    TEST(a_cancelled_message_has_consumed_nothing),
    TEST(a_message_waits_for_room_that_poll_does_not_know_of),
    TEST(shutdown_ends_a_direction),
    TEST(shutdown_comes_after_what_was_sent_before),
    TEST(a_socket_is_made_and_connects),
    TEST(calls_inside_poll_are_refused),
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("socket", tests, argc, argv);
}
