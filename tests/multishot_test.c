/* SPDX-License-Identifier: MIT */
/*
 * tests/multishot_test.c - pons/multishot.h on every reactor, with every number
 * of workers, and without any.
 */

#include "pons/multishot.h"

#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/buffers.h"
#include "core/fiber.h"
#include "core/lock.h"
#include "core/multishot.h"
#include "core/runtime.h"
#include "core/stream.h"
#include "everywhere.h"
#include "pons/scope.h"
#include "pons/time.h"

enum {
    MANY = 200,   // buffers: more than a seat has
    BIG = 400000, // bytes
    CLIENTS = 20,
};

/* --- bytes --- */

static char
byte_at(size_t i)
{
    return (char)(i * 31 + (i >> 8));
}

/* Sends BIG bytes in pieces of all sizes, and ends. */
static int64_t
send_big(void *s)
{
    static __thread char piece[5000];
    size_t sent = 0;
    int64_t n;

    for (size_t size = 1; sent < BIG; size = size * 3 % 4999 + 1) {
        size_t left = BIG - sent < size ? BIG - sent : size;

        for (size_t i = 0; i < left; i++)
            piece[i] = byte_at(sent + i);
        n = pons_send_all(s, piece, left);
        if (n < 0)
            return n;
        sent += left;
    }
    CHECK_EQ(shutdown(pons_stream_fd(s), SHUT_WR), 0);
    return 0;
}

static size_t
check_bytes(const struct pons_lent *bytes, size_t at)
{
    const char *data = bytes->data;

    for (size_t i = 0; i < bytes->size; i++)
        CHECK_EQ(data[i], byte_at(at + i));
    return at + bytes->size;
}

static void
bytes_body(void *arg)
{
    struct pons_recv_multi m;
    struct pons_lent bytes;
    struct pons_stream *s[2];
    struct agent a;
    size_t got = 0;
    int64_t n;

    (void)arg;
    stream_pair(s);
    agent_start(&a, send_big, s[1]);
    pons_recv_multi_init(&m, s[0]);
    while ((n = pons_recv_next(&m, &bytes)) > 0) {
        CHECK_EQ(bytes.size, (size_t)n);
        got = check_bytes(&bytes, got);
        pons_lent_return(&bytes);
        CHECK(bytes.data == NULL);
    }
    CHECK_EQ(n, 0);
    CHECK(bytes.data == NULL && bytes.owner == NULL);
    CHECK_EQ(got, BIG);
    CHECK_EQ(pons_recv_next(&m, &bytes), 0); // the end stays the end
    CHECK_EQ(pons_recv_multi_end(&m), 0);
    CHECK_EQ(pons_recv_multi_end(&m), 0);
    CHECK_EQ(agent_join(&a), 0);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
}

static void
bytes_come_lent_and_in_order(void)
{
    everywhere(bytes_body, NULL);
}

/* Says one number, and waits until it is answered. */
static int64_t
say_numbers(void *s)
{
    for (uint32_t i = 0; i < MANY; i++) {
        char c;

        if (pons_send_all(s, &i, sizeof i) < 0 || pons_recv(s, &c, 1) != 1)
            return -EIO;
    }
    return 0;
}

static struct pons_lent held[MANY];

static void
hold_body(void *arg)
{
    struct pons_recv_multi m;
    struct pons_stream *s[2];
    struct agent a;

    (void)arg;
    stream_pair(s);
    agent_start(&a, say_numbers, s[1]);
    pons_recv_multi_init(&m, s[0]);
    for (uint32_t i = 0; i < MANY; i++) {
        CHECK_EQ(pons_recv_next(&m, &held[i]), sizeof i);
        CHECK_EQ(pons_send(s[0], "", 1), 1);
    }
    CHECK_EQ(pons_recv_multi_end(&m), 0);
    CHECK_EQ(agent_join(&a), 0);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
    for (uint32_t i = 0; i < MANY; i++)
        CHECK_EQ(memcmp(held[i].data, &i, sizeof i), 0);
    for (uint32_t i = 0; i < MANY; i += 2)
        pons_lent_return(&held[i]);
}

static void
all_buffers_may_be_held(void)
{
    static const char *const workers[] = {"0", "1", "4"};

    for (int w = 0; w < 3; w++) {
        within("epoll", workers[w], hold_body, NULL);
        for (uint32_t i = 1; i < MANY; i += 2) // the runtime has gone
            CHECK_EQ(memcmp(held[i].data, &i, sizeof i), 0);
        for (uint32_t i = 1; i < MANY; i += 2)
            pons_lent_return(&held[i]);
    }
    within("poll", "2", hold_body, NULL);
    for (uint32_t i = 1; i < MANY; i += 2)
        pons_lent_return(&held[i]);
}

/* A thread that the runtime does not know. */
static void *
return_elsewhere(void *bytes)
{
    pons_lent_return(bytes);
    return NULL;
}

static void
elsewhere_body(void *arg)
{
    struct pons_recv_multi m;
    struct pons_lent bytes;
    struct pons_stream *s[2];
    pthread_t t;

    (void)arg;
    stream_pair(s);
    pons_recv_multi_init(&m, s[0]);
    for (int i = 0; i < 3 * BUFFERS; i++) {
        CHECK_EQ(pons_send(s[1], "x", 1), 1);
        CHECK_EQ(pons_recv_next(&m, &bytes), 1);
        CHECK_EQ(pthread_create(&t, NULL, return_elsewhere, &bytes), 0);
        CHECK_EQ(pthread_join(t, NULL), 0);
    }
    CHECK_EQ(pons_recv_multi_end(&m), 0);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
}

static void
buffers_are_returned_on_any_thread(void)
{
    everywhere(elsewhere_body, NULL);
}

/* In a runtime: what others return is lent again. */
static void
again_body(void *arg)
{
    struct pons_recv_multi m;
    struct pons_lent bytes;
    struct pons_stream *s[2];
    pthread_t t;

    (void)arg;
    stream_pair(s);
    pons_recv_multi_init(&m, s[0]);
    for (int i = 0; i < 3 * BUFFERS; i++) {
        CHECK_EQ(pons_send(s[1], "x", 1), 1);
        CHECK_EQ(pons_recv_next(&m, &bytes), 1);
        CHECK(((struct poni_buffer *)bytes.owner)->of != NULL);
        CHECK_EQ(pthread_create(&t, NULL, return_elsewhere, &bytes), 0);
        CHECK_EQ(pthread_join(t, NULL), 0);
    }
    CHECK_EQ(pons_recv_multi_end(&m), 0);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
}

static void
what_others_return_is_lent_again(void)
{
    within("epoll", "0", again_body, NULL);
    within("poll", "0", again_body, NULL);
}

/* --- a next that is cancelled --- */

static int64_t
next_until(struct pons_recv_multi *m, struct pons_lent *bytes, uint64_t ns)
{
    struct pons_scope scope;
    int64_t n;

    pons_scope_open(&scope, pons_after_ns(ns));
    n = pons_recv_next(m, bytes);
    (void)pons_scope_close(&scope);
    return n;
}

static void
cancel_body(void *arg)
{
    struct pons_recv_multi m;
    struct pons_lent bytes;
    struct pons_stream *s[2];
    struct agent a;
    size_t got = 0;
    int64_t n;

    (void)arg;
    stream_pair(s);
    pons_recv_multi_init(&m, s[0]);
    n = next_until(&m, &bytes, 0);
    CHECK(n == -ETIME || n == -ECANCELED);
    CHECK(bytes.data == NULL);
    n = next_until(&m, &bytes, 1000000);
    CHECK(n == -ETIME || n == -ECANCELED);
    agent_start(&a, send_big, s[1]);
    for (uint64_t ns = 0; got < BIG; ns = (ns + 7001) % 100000) {
        n = next_until(&m, &bytes, ns);
        if (n > 0)
            got = check_bytes(&bytes, got);
        else
            CHECK(n == -ETIME || n == -ECANCELED);
        pons_lent_return(&bytes);
    }
    CHECK_EQ(got, BIG);
    CHECK_EQ(pons_recv_multi_end(&m), 0);
    CHECK_EQ(agent_join(&a), 0);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
}

static void
a_cancelled_next_has_taken_nothing(void)
{
    everywhere(cancel_body, NULL);
}

/* It goes on: what comes later is the next one's. */
static void
after_cancel_body(void *arg)
{
    struct pons_recv_multi m;
    struct pons_lent bytes;
    struct pons_stream *s[2];
    int64_t n;

    (void)arg;
    stream_pair(s);
    pons_recv_multi_init(&m, s[0]);
    n = next_until(&m, &bytes, 1000000);
    CHECK(n == -ETIME || n == -ECANCELED);
    CHECK_EQ(pons_send(s[1], "x", 1), 1);
    CHECK_EQ(pons_recv_next(&m, &bytes), 1);
    pons_lent_return(&bytes);
    CHECK_EQ(pons_recv_multi_end(&m), 0);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
}

static void
the_next_after_a_cancelled_one_is_not(void)
{
    everywhere(after_cancel_body, NULL);
}

static int64_t
recv_one(void *s)
{
    char c;

    return pons_recv(s, &c, 1);
}

static void
cancel_queued_body(void *arg)
{
    struct pons_recv_multi m;
    struct pons_lent bytes;
    struct pons_stream *s[2];
    struct agent a;
    int64_t n;

    (void)arg;
    stream_pair(s);
    agent_start(&a, recv_one, s[0]);
    stream_until(s[0], 0, 1);
    pons_recv_multi_init(&m, s[0]);
    n = next_until(&m, &bytes, 1000000); // behind the other
    CHECK(n == -ETIME || n == -ECANCELED);
    CHECK_EQ(pons_send(s[1], "a", 1), 1);
    CHECK_EQ(agent_join(&a), 1);
    CHECK_EQ(pons_send(s[1], "b", 1), 1);
    CHECK_EQ(pons_recv_next(&m, &bytes), 1);
    pons_lent_return(&bytes);
    CHECK_EQ(pons_recv_multi_end(&m), 0);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
}

static void
nor_is_it_after_one_that_was_queued(void)
{
    everywhere(cancel_queued_body, NULL);
}

/* --- the end --- */

/* Until the multishot has been told something, or is not told before it is
 * asked: then nothing is in course. */
static void
until_told(struct pons_stream *s, const struct pons_multi *m)
{
    uint32_t told = 0;

    while (told == 0 && m->io.op.opcode == PONS_OP_RECV_MULTI) {
        let_others_run();
        poni_lock(&s->lock);
        told = m->count;
        poni_unlock(&s->lock);
    }
}

static void
end_body(void *arg)
{
    struct pons_recv_multi m;
    struct pons_lent bytes;
    struct pons_stream *s[2];
    char line[32];

    (void)arg;
    stream_pair(s);
    pons_recv_multi_init(&m, s[0]);
    CHECK_EQ(pons_send(s[1], "a", 1), 1);
    CHECK_EQ(pons_recv_next(&m, &bytes), 1);
    pons_lent_return(&bytes);
    CHECK_EQ(pons_send(s[1], "first\nsec", 9), 9);
    until_told(s[0], &m.multi);
    CHECK_EQ(pons_recv_multi_end(&m), 0);
    CHECK_EQ(pons_send(s[1], "ond\nthird", 9), 9);
    CHECK_EQ(pons_read_line(s[0], line, sizeof line), 5);
    CHECK_EQ(strcmp(line, "first"), 0);
    pons_recv_multi_init(&m, s[0]); // what was read beyond the line comes first
    CHECK(pons_recv_next(&m, &bytes) >= 3);
    CHECK_EQ(memcmp(bytes.data, "sec", 3), 0);
    pons_lent_return(&bytes);
    CHECK_EQ(pons_recv_multi_end(&m), 0);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
}

static void
the_end_gives_back_what_was_told(void)
{
    everywhere(end_body, NULL);
}

static void
due_body(void *arg)
{
    struct pons_recv_multi m;
    struct pons_lent bytes;
    struct pons_stream *s[2];
    int64_t n;

    (void)arg;
    stream_pair(s);
    pons_recv_multi_init(&m, s[0]);
    CHECK_EQ(pons_send(s[1], "a", 1), 1);
    CHECK_EQ(pons_recv_next(&m, &bytes), 1);
    pons_lent_return(&bytes);
    CHECK_EQ(pons_send(s[1], "b", 1), 1);
    until_told(s[0], &m.multi);
    n = next_until(&m, &bytes, 0); // told or not: a cancel is heard
    CHECK(n == -ETIME || n == -ECANCELED);
    CHECK_EQ(pons_recv_next(&m, &bytes), 1);
    CHECK_EQ(*(char *)bytes.data, 'b');
    pons_lent_return(&bytes);
    CHECK_EQ(pons_recv_multi_end(&m), 0);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
}

static void
what_is_told_hides_no_cancel(void)
{
    everywhere(due_body, NULL);
}

static int64_t
read_first(void *s)
{
    char line[32];
    int64_t n = pons_read_line(s, line, sizeof line);

    return n == 5 && strcmp(line, "first") == 0 ? 0 : -EIO;
}

static int64_t
next_is_second(void *arg)
{
    struct pons_recv_multi *m = arg;
    struct pons_lent bytes;
    int64_t n = pons_recv_next(m, &bytes);
    int right = n >= 3 && memcmp(bytes.data, "sec", 3) == 0;

    pons_lent_return(&bytes);
    return right ? 0 : -EIO;
}

/* Its turn comes when a line has been read, and more than that. */
static void
behind_body(void *arg)
{
    struct pons_recv_multi m;
    struct pons_stream *s[2];
    struct agent line, next;

    (void)arg;
    stream_pair(s);
    agent_start(&line, read_first, s[0]);
    stream_until(s[0], 0, 1);
    pons_recv_multi_init(&m, s[0]);
    agent_start(&next, next_is_second, &m);
    stream_until(s[0], 0, 2);
    CHECK_EQ(pons_send(s[1], "first\nsec", 9), 9);
    CHECK_EQ(agent_join(&line), 0);
    CHECK_EQ(pons_send(s[1], "ond", 3), 3);
    CHECK_EQ(agent_join(&next), 0);
    CHECK_EQ(pons_recv_multi_end(&m), 0);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
}

static void
what_a_line_left_comes_first(void)
{
    everywhere(behind_body, NULL);
}

/* Between two nexts, where each asks for itself, too. */
static void
in_between_body(void *arg)
{
    struct pons_recv_multi m;
    struct pons_lent bytes;
    struct pons_stream *s[2];
    struct agent a;

    (void)arg;
    stream_pair(s);
    pons_recv_multi_init(&m, s[0]);
    CHECK_EQ(pons_send(s[1], "a", 1), 1);
    CHECK_EQ(pons_recv_next(&m, &bytes), 1);
    pons_lent_return(&bytes);
    agent_start(&a, recv_one, s[0]);
    stream_until(s[0], 0, 2);
    CHECK_EQ(pons_send(s[1], "b", 1), 1);
    CHECK_EQ(pons_recv_next(&m, &bytes), 1);
    pons_lent_return(&bytes);
    CHECK_EQ(pons_recv_multi_end(&m), 0);
    CHECK_EQ(pons_send(s[1], "c", 1), 1);
    CHECK_EQ(agent_join(&a), 1);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
}

static void
others_wait_for_the_end(void)
{
    everywhere(in_between_body, NULL);
}

static void
ended_body(void *arg)
{
    struct pons_recv_multi m;
    struct pons_stream *s[2];
    struct pons_lent bytes;

    (void)arg;
    stream_pair(s);
    pons_recv_multi_init(&m, s[0]);
    CHECK_EQ(pons_recv_multi_end(&m), 0);
    CHECK_EQ(pons_recv_next(&m, &bytes), -EINVAL);
    CHECK(bytes.data == NULL);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
}

static void
a_next_after_the_end_is_refused(void)
{
    everywhere(ended_body, NULL);
}

static void
unused_body(void *arg)
{
    struct pons_recv_multi r;
    struct pons_poll_multi p;
    struct pons_stream *s[2];

    (void)arg;
    stream_pair(s);
    pons_recv_multi_init(&r, s[0]);
    pons_poll_multi_init(&p, s[0], POLLIN);
    CHECK_EQ(pons_recv_multi_end(&r), 0);
    CHECK_EQ(pons_poll_multi_end(&p), 0);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
}

static void
one_that_was_never_asked_ends_too(void)
{
    everywhere(unused_body, NULL);
}

static int64_t
next_and_say(void *arg)
{
    struct pons_recv_multi *m = arg;
    struct pons_lent bytes;

    return pons_recv_next(m, &bytes);
}

static void
close_body(void *arg)
{
    struct pons_recv_multi m;
    struct pons_stream *s[2];
    struct pons_lent bytes;
    struct agent a;

    (void)arg;
    stream_pair(s);
    pons_recv_multi_init(&m, s[0]);
    agent_start(&a, next_and_say, &m);
    stream_until(s[0], 0, 1);
    pons_stream_close(s[0]);
    CHECK_EQ(agent_join(&a), -ECANCELED);
    CHECK_EQ(pons_recv_next(&m, &bytes), -ECANCELED);
    CHECK_EQ(pons_recv_multi_end(&m), 0);
    pons_stream_close(s[1]);
}

static void
a_close_ends_the_next_that_waits(void)
{
    everywhere(close_body, NULL);
}

static void
closed_before_body(void *arg)
{
    struct pons_recv_multi m;
    struct pons_stream *s[2];
    struct pons_lent bytes;

    (void)arg;
    stream_pair(s);
    pons_recv_multi_init(&m, s[0]);
    CHECK_EQ(pons_send(s[1], "ab", 2), 2);
    CHECK_EQ(pons_recv_next(&m, &bytes), 2);
    CHECK_EQ(pons_send(s[1], "cd", 2), 2);
    until_told(s[0], &m.multi);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
    CHECK_EQ(memcmp(bytes.data, "ab", 2), 0); // ours until we return it
    pons_lent_return(&bytes);
    CHECK_EQ(pons_recv_multi_end(&m), 0);
}

static void
a_stream_may_be_closed_before_the_end(void)
{
    everywhere(closed_before_body, NULL);
}

/* --- who does not take --- */

static int64_t
flood(void *s)
{
    int64_t n, all = 0;

    while (all < BIG && (n = pons_send(s, held, sizeof held)) > 0)
        all += n;
    return all;
}

/* Where it is one operation that tells, that has been cancelled. */
static void
until_paused(const struct pons_multi *m)
{
    while (poni_load_acquire(&m->io.op.state) != IO_ENDED &&
           m->io.op.opcode == PONS_OP_RECV_MULTI)
        let_others_run();
}

static void
pause_body(void *arg)
{
    struct pons_recv_multi slow;
    struct pons_lent bytes;
    struct pons_stream *s[2], *other[2];
    struct agent a;
    int64_t got = 0, n;
    char c;

    (void)arg;
    stream_pair(s);
    stream_pair(other);
    pons_recv_multi_init(&slow, s[0]);
    CHECK_EQ(pons_send(s[1], "x", 1), 1);
    CHECK_EQ(pons_recv_next(&slow, &bytes), 1);
    pons_lent_return(&bytes);
    agent_start(&a, flood, s[1]);
    for (int i = 0; i < 100; i++) { // others go on meanwhile
        CHECK_EQ(pons_send(other[1], "y", 1), 1);
        CHECK_EQ(pons_recv(other[0], &c, 1), 1);
    }
    until_paused(&slow.multi);
    while ((n = next_until(&slow, &bytes, 200000000)) > 0) {
        got += n;
        pons_lent_return(&bytes);
    }
    CHECK_EQ(got, agent_join(&a));
    CHECK_EQ(pons_recv_multi_end(&slow), 0);
    for (int i = 0; i < 2; i++) {
        pons_stream_close(s[i]);
        pons_stream_close(other[i]);
    }
}

static void
who_does_not_take_holds_up_nobody(void)
{
    everywhere(pause_body, NULL);
}

/* --- connections --- */

static struct pons_stream *
listener_make(struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;
    struct pons_stream *s;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    *address = (struct sockaddr_in){.sin_family = AF_INET};
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_EQ(bind(fd, (struct sockaddr *)address, size), 0);
    CHECK_EQ(getsockname(fd, (struct sockaddr *)address, &size), 0);
    CHECK_EQ(listen(fd, 128), 0);
    CHECK_EQ(pons_stream_adopt(&s, fd), 0);
    return s;
}

/* Connected at once: the listener's queue has room. */
static int
client_make(const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK_EQ(connect(fd, (const struct sockaddr *)address, sizeof *address), 0);
    return fd;
}

static void
clients_make(int *fds, int n, const struct sockaddr_in *address)
{
    for (int i = 0; i < n; i++)
        fds[i] = client_make(address);
}

static void
clients_close(const int *fds, int n)
{
    for (int i = 0; i < n; i++)
        close(fds[i]);
}

/* The client whose other end `s` is says so to us. */
static void
check_connected(struct pons_stream *s, const int *fds, int n)
{
    struct sockaddr_in its, ours;
    socklen_t size = sizeof its;
    int found = 0;

    CHECK(s != NULL);
    CHECK_EQ(getpeername(pons_stream_fd(s), (struct sockaddr *)&its, &size), 0);
    for (int i = 0; i < n; i++) {
        size = sizeof ours;
        CHECK_EQ(getsockname(fds[i], (struct sockaddr *)&ours, &size), 0);
        found += ours.sin_port == its.sin_port;
    }
    CHECK_EQ(found, 1);
}

static void
accept_body(void *arg)
{
    struct pons_accept_multi m;
    struct pons_stream *listener, *s;
    struct sockaddr_in address;
    int fds[CLIENTS];

    (void)arg;
    listener = listener_make(&address);
    pons_accept_multi_init(&m, listener);
    for (int round = 0; round < 3; round++) {
        clients_make(fds, CLIENTS, &address);
        for (int i = 0; i < CLIENTS; i++) {
            CHECK_EQ(pons_accept_next(&m, &s), 0);
            check_connected(s, fds, CLIENTS);
            pons_stream_close(s);
        }
        clients_close(fds, CLIENTS);
    }
    CHECK_EQ(pons_accept_multi_end(&m), 0);
    pons_stream_close(listener);
}

static void
connections_come_one_by_one(void)
{
    everywhere(accept_body, NULL);
}

static void
accept_end_body(void *arg)
{
    struct pons_accept_multi m;
    struct pons_stream *listener, *s;
    struct sockaddr_in address;
    int fds[CLIENTS];

    (void)arg;
    listener = listener_make(&address);
    pons_accept_multi_init(&m, listener);
    clients_make(fds, CLIENTS, &address);
    CHECK_EQ(pons_accept_next(&m, &s), 0);
    pons_stream_close(s);
    CHECK_EQ(pons_accept_multi_end(&m), 0);
    CHECK(pons_ready_wait(listener, POLLIN) & POLLIN);
    for (int i = 1; i < CLIENTS; i++) { // told or not: none is lost
        CHECK_EQ(pons_accept(listener, &s), 0);
        check_connected(s, fds, CLIENTS);
        pons_stream_close(s);
    }
    clients_close(fds, CLIENTS);
    pons_stream_close(listener);
}

static void
connections_that_nobody_took_are_the_listeners(void)
{
    everywhere(accept_end_body, NULL);
}

/* Given back, and then nobody comes for them: they are closed, too. */
static void
accept_closed_body(void *arg)
{
    struct pons_accept_multi m;
    struct pons_stream *listener, *s;
    struct sockaddr_in address;
    int fds[CLIENTS];
    char c;

    (void)arg;
    listener = listener_make(&address);
    pons_accept_multi_init(&m, listener);
    clients_make(fds, CLIENTS, &address);
    CHECK_EQ(pons_accept_next(&m, &s), 0);
    pons_stream_close(s);
    CHECK_EQ(pons_accept_multi_end(&m), 0);
    pons_stream_close(listener);
    for (int i = 0; i < CLIENTS; i++) // the end, or a reset: not silence
        CHECK(recv(fds[i], &c, 1, 0) <= 0);
    clients_close(fds, CLIENTS);
}

static void
with_the_listener_they_are_closed(void)
{
    everywhere(accept_closed_body, NULL);
}

/* Each is taken when the next one has been told. */
static void
never_dry_body(void *arg)
{
    struct pons_accept_multi m;
    struct pons_stream *listener, *s;
    struct sockaddr_in address;
    int fd;

    (void)arg;
    listener = listener_make(&address);
    pons_accept_multi_init(&m, listener);
    fd = client_make(&address);
    CHECK_EQ(pons_accept_next(&m, &s), 0);
    close(fd);
    pons_stream_close(s);
    close(client_make(&address));
    for (int i = 0; i < MANY; i++) {
        close(client_make(&address));
        while (poni_load_relaxed(&m.multi.count) < 2)
            let_others_run();
        CHECK_EQ(pons_accept_next(&m, &s), 0);
        pons_stream_close(s);
    }
    CHECK(malloc_usable_size(m.multi.first) < MANY * sizeof(int));
    CHECK_EQ(pons_accept_multi_end(&m), 0);
    pons_stream_close(listener);
}

static int64_t
never_dry_fiber(void *arg)
{
    never_dry_body(arg);
    return 0;
}

static void
a_list_that_never_runs_dry_does_not_grow(void)
{
    struct pons_runtime *rt = runtime_of("epoll", "0");
    struct pons_task *t;

    CHECK_EQ(pons_spawn(rt, never_dry_fiber, NULL, &t), 0);
    CHECK_EQ(pons_join(t, NULL), 0);
    pons_runtime_unref(rt);
}

static void
not_a_listener_body(void *arg)
{
    struct pons_accept_multi a;
    struct pons_recv_multi r;
    struct pons_stream *s[2], *pipes[2], *out;
    struct pons_lent bytes;

    (void)arg;
    stream_pair(s);
    stream_pipe(pipes);
    pons_accept_multi_init(&a, s[0]);
    CHECK_EQ(pons_accept_next(&a, &out), -EINVAL);
    CHECK(out == NULL);
    CHECK_EQ(pons_accept_next(&a, &out), -EINVAL); // asked again, and so said
    CHECK_EQ(pons_accept_multi_end(&a), 0);
    pons_recv_multi_init(&r, pipes[0]);
    CHECK_EQ(pons_recv_next(&r, &bytes), -ENOTSOCK);
    CHECK_EQ(pons_recv_multi_end(&r), 0);
    for (int i = 0; i < 2; i++) {
        pons_stream_close(s[i]);
        pons_stream_close(pipes[i]);
    }
}

static void
errors_are_the_system_calls(void)
{
    everywhere(not_a_listener_body, NULL);
}

/* --- readiness --- */

static void
poll_body(void *arg)
{
    struct pons_poll_multi m;
    struct pons_stream *s[2];
    char c;

    (void)arg;
    stream_pair(s);
    pons_poll_multi_init(&m, s[0], POLLIN | POLLRDHUP);
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(pons_send(s[1], "x", 1), 1);
        do // it may repeat itself: then there is nothing to read
            CHECK_EQ(pons_poll_next(&m), POLLIN);
        while (recv(pons_stream_fd(s[0]), &c, 1, MSG_DONTWAIT) < 0);
    }
    CHECK_EQ(shutdown(pons_stream_fd(s[1]), SHUT_WR), 0);
    while (!(pons_poll_next(&m) & POLLRDHUP))
        continue;
    CHECK_EQ(pons_poll_multi_end(&m), 0);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
}

static void
every_arrival_is_told(void)
{
    everywhere(poll_body, NULL);
}

/* --- engines, seats, processes --- */

static int64_t
body_as_fiber(void *arg)
{
    body_f *const *body = arg;

    (*body)(NULL);
    return 0;
}

static void
with_opcodes(const char *reactor, const char *workers, uint64_t opcodes,
             body_f *body)
{
    struct pons_runtime *rt = runtime_of(reactor, workers);
    struct pons_task *t;
    int64_t answer;

    for (unsigned i = 0; i < rt->seat_count; i++)
        rt->seats[i].reactor->opcodes[0] &= opcodes;
    CHECK_EQ(pons_spawn(rt, body_as_fiber, &body, &t), 0);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(answer, 0);
    pons_runtime_unref(rt);
}

static void
an_engine_without_multishot_is_asked_each_time(void)
{
    static body_f *const bodies[] = {
        bytes_body, cancel_body, end_body,
        pause_body, accept_body, accept_end_body,
        poll_body,  close_body,  not_a_listener_body,
    };
    uint64_t without =
        ~(uint64_t)(1u << PONS_OP_ACCEPT_MULTI | 1u << PONS_OP_RECV_MULTI |
                    1u << PONS_OP_POLL_MULTI);

    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        with_opcodes("epoll", "1", without, bodies[i]);
        with_opcodes("epoll", "4", without, bodies[i]);
        with_opcodes("poll", "2", without, bodies[i]);
    }
}

/* It is one multishot op that tells of all: else the rest tests nothing. */
static void
native_body(void *arg)
{
    struct pons_recv_multi m;
    struct pons_lent bytes;
    struct pons_stream *s[2];

    (void)arg;
    stream_pair(s);
    pons_recv_multi_init(&m, s[0]);
    for (int i = 0; i < 2 * BUFFERS; i++) {
        CHECK_EQ(pons_send(s[1], "x", 1), 1);
        CHECK_EQ(pons_recv_next(&m, &bytes), 1);
        CHECK_EQ(m.multi.io.op.opcode, PONS_OP_RECV_MULTI);
        CHECK_EQ(m.multi.io.op.state, IO_INFLIGHT);
        CHECK(((struct poni_buffer *)bytes.owner)->of != NULL);
        pons_lent_return(&bytes);
    }
    CHECK_EQ(pons_recv_multi_end(&m), 0);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
}

static void
one_operation_tells_of_all(void)
{
    within("epoll", "0", native_body, NULL);
    within("poll", "0", native_body, NULL);
}

/* Each of many tasks reads a while, wherever it is: each multishot for a few
 * messages, so that many begin far from where the descriptor is at home. */
static int64_t
echo_some(void *arg)
{
    struct pons_recv_multi m;
    struct pons_stream *s = arg;
    struct pons_lent bytes;
    int64_t n = 1;

    while (n > 0) {
        pons_recv_multi_init(&m, s);
        for (int i = 0; i < 5 && n > 0; i++) {
            n = pons_recv_next(&m, &bytes);
            if (n > 0)
                n = pons_send_all(s, bytes.data, bytes.size);
            pons_lent_return(&bytes);
            CHECK_EQ(pons_yield(), 0);
        }
        CHECK_EQ(pons_recv_multi_end(&m), 0);
    }
    return n;
}

static int64_t
ask_some(void *arg)
{
    struct pons_stream *s = arg;
    char back[8];

    for (int i = 0; i < 200; i++) {
        int64_t got = 0, n;

        if (pons_send_all(s, "question", 8) != 8)
            return -EIO;
        while (got < 8 && (n = pons_recv(s, back, 8 - (size_t)got)) > 0)
            got += n;
        if (got != 8)
            return -EIO;
    }
    return shutdown(pons_stream_fd(s), SHUT_WR);
}

static void
many_body(void *arg)
{
    enum { PAIRS = 16 };
    struct pons_stream *s[PAIRS][2];
    struct agent a[PAIRS][2];

    (void)arg;
    for (int i = 0; i < PAIRS; i++) {
        stream_pair(s[i]);
        agent_start(&a[i][0], echo_some, s[i][0]);
        agent_start(&a[i][1], ask_some, s[i][1]);
    }
    for (int i = 0; i < PAIRS; i++) {
        CHECK_EQ(agent_join(&a[i][1]), 0);
        CHECK_EQ(agent_join(&a[i][0]), 0);
        pons_stream_close(s[i][0]);
        pons_stream_close(s[i][1]);
    }
}

static void
many_share_the_buffers_of_their_seats(void)
{
    everywhere(many_body, NULL);
}

/* Begun in a runtime, and left in course there. */
struct left {
    struct pons_recv_multi m;
    struct pons_stream *s[2];
};

static int64_t
leave_in_course(void *arg)
{
    struct left *l = arg;
    struct pons_lent bytes;

    stream_pair(l->s);
    pons_recv_multi_init(&l->m, l->s[0]);
    CHECK_EQ(pons_send(l->s[1], "a", 1), 1);
    CHECK_EQ(pons_recv_next(&l->m, &bytes), 1);
    pons_lent_return(&bytes);
    CHECK_EQ(pons_send(l->s[1], "b", 1), 1);
    until_told(l->s[0], &l->m.multi);
    return 0;
}

static void
left_in_course(const char *reactor, const char *workers)
{
    struct pons_runtime *rt = runtime_of(reactor, workers);
    struct pons_lent bytes;
    struct pons_task *t;
    struct left l;

    CHECK_EQ(pons_spawn(rt, leave_in_course, &l, &t), 0);
    CHECK_EQ(pons_join(t, NULL), 0);
    pons_runtime_unref(rt);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(pons_recv_next(&l.m, &bytes), 1);
        CHECK_EQ(*(char *)bytes.data, 'b' + i);
        pons_lent_return(&bytes);
        CHECK_EQ(pons_send(l.s[1], &"cd"[i], 1), 1);
    }
    CHECK_EQ(pons_recv_multi_end(&l.m), 0);
    pons_stream_close(l.s[0]);
    pons_stream_close(l.s[1]);
}

static void
a_runtime_ends_with_multishots_in_course(void)
{
    left_in_course("epoll", "0");
    left_in_course("epoll", "1");
    left_in_course("epoll", "4");
    left_in_course("poll", "2");
}

static int64_t
next_for_a_while(void *arg)
{
    struct left *l = arg;
    struct pons_lent bytes;
    int64_t n = next_until(&l->m, &bytes, 1000000);

    CHECK(n == -ETIME || n == -ECANCELED);
    return 0;
}

/* The waiter has gone, and its runtime, when bytes come. */
static void
a_cancelled_next_leaves_no_waker(void)
{
    struct pons_runtime *rt = runtime_of("epoll", "1"), *other;
    struct pons_lent bytes;
    struct pons_task *t;
    struct left l;

    CHECK_EQ(pons_spawn(rt, leave_in_course, &l, &t), 0);
    CHECK_EQ(pons_join(t, NULL), 0);
    CHECK_EQ(pons_recv_next(&l.m, &bytes), 1);
    pons_lent_return(&bytes);
    other = runtime_of("epoll", "1");
    CHECK_EQ(pons_spawn(other, next_for_a_while, &l, &t), 0);
    CHECK_EQ(pons_join(t, NULL), 0);
    pons_runtime_unref(other);
    CHECK_EQ(pons_send(l.s[1], "c", 1), 1);
    CHECK_EQ(pons_recv_next(&l.m, &bytes), 1);
    pons_lent_return(&bytes);
    CHECK_EQ(pons_recv_multi_end(&l.m), 0);
    pons_stream_close(l.s[0]);
    pons_stream_close(l.s[1]);
    pons_runtime_unref(rt);
}

static void
fork_body(void *arg)
{
    struct pons_recv_multi m;
    struct pons_stream *s[2];
    struct pons_lent bytes;
    int status;
    pid_t pid;

    (void)arg;
    stream_pair(s);
    pons_recv_multi_init(&m, s[0]);
    CHECK_EQ(pons_send(s[1], "a", 1), 1);
    CHECK_EQ(pons_recv_next(&m, &bytes), 1);
    pid = fork();
    if (pid == 0) {
        struct pons_lent more;
        int wrong = pons_recv_next(&m, &more) != -EOWNERDEAD;

        pons_lent_return(&bytes);
        wrong += pons_recv_multi_end(&m) != 0;
        _exit(wrong);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    pons_lent_return(&bytes);
    CHECK_EQ(pons_send(s[1], "b", 1), 1);
    CHECK_EQ(pons_recv_next(&m, &bytes), 1);
    pons_lent_return(&bytes);
    CHECK_EQ(pons_recv_multi_end(&m), 0);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
}

static void
a_forked_child_can_only_end_it(void)
{
#ifdef PONI_TSAN
    SKIP("TSan has no threads in forked children");
#endif
    within("epoll", "0", fork_body, NULL);
    within("poll", "0", fork_body, NULL);
}

/* --- inside poll() --- */

struct in_poll {
    struct pons_future base;
    struct pons_stream *s;
    struct pons_recv_multi m;
    struct pons_recv_next next;
    struct pons_multi_end end;
    struct pons_lent bytes;
    int tries;
};

static enum pons_poll
in_poll(struct pons_future *f, struct pons_waker *w)
{
    struct in_poll *p = pons_container_of(f, struct in_poll, base);

    PONS_BEGIN(f);
    pons_recv_multi_init(&p->m, p->s);
    CHECK_EQ(pons_recv_next(&p->m, &p->bytes), -EDEADLK);
    CHECK_HAS(pons_last_error(), "pons_recv_next");
    do {
        pons_recv_next_init(&p->next, &p->m, &p->bytes);
        PONS_AWAIT(f, w, &p->next);
        pons_lent_return(&p->bytes);
    } while (p->next.base.result > 0);
    CHECK_EQ(p->next.base.result, 0);
    CHECK_EQ(pons_recv_multi_end(&p->m), -EDEADLK);
    pons_multi_end_init(&p->end, &p->m.multi);
    PONS_AWAIT(f, w, &p->end);
    PONS_RETURN(f, p->end.base.result);
    PONS_END(f);
}

static const struct pons_future_ops in_poll_ops = {
    .size = sizeof in_poll_ops,
    .name = "in_poll",
    .poll = in_poll,
};

static void
stackless_body(void *arg)
{
    struct pons_stream *s[2];
    struct in_poll p = {.s = NULL};
    struct agent a;

    (void)arg;
    stream_pair(s);
    agent_start(&a, send_big, s[1]);
    pons_future_init(&p.base, &in_poll_ops);
    p.s = s[0];
    CHECK_EQ(pons_await(&p.base), 0);
    CHECK_EQ(agent_join(&a), 0);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
}

/* Cancelled while it waits; and then it waits again. */
static enum pons_poll
waits_again(struct pons_future *f, struct pons_waker *w)
{
    struct in_poll *p = pons_container_of(f, struct in_poll, base);

    PONS_BEGIN(f);
    pons_recv_multi_init(&p->m, p->s);
    do {
        pons_recv_next_init(&p->next, &p->m, &p->bytes);
        PONS_AWAIT(f, w, &p->next);
        CHECK_EQ(p->next.base.result, -ECANCELED);
    } while (++p->tries < 2);
    pons_multi_end_init(&p->end, &p->m.multi);
    PONS_AWAIT(f, w, &p->end);
    PONS_RETURN(f, p->end.base.result);
    PONS_END(f);
}

static const struct pons_future_ops waits_again_ops = {
    .size = sizeof waits_again_ops,
    .name = "waits_again",
    .poll = waits_again,
};

static void
waits_again_body(void *arg)
{
    struct pons_stream *s[2];
    struct in_poll p = {.s = NULL};
    struct pons_task *t;
    int64_t answer;

    (void)arg;
    stream_pair(s);
    pons_future_init(&p.base, &waits_again_ops);
    p.s = s[0];
    CHECK_EQ(pons_spawn_future(NULL, &p.base, &t), 0);
    stream_until(s[0], 0, 1);
    pons_cancel(t);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(answer, 0);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
}

static void
a_cancelled_task_waits_for_no_next(void)
{
    everywhere_in_fibers(waits_again_body, NULL);
}

static void
stackless_functions_wait_by_futures(void)
{
    everywhere(stackless_body, NULL);
}

#define TEST(name)  \
    {               \
#name, name \
    }

static const struct unit_test tests[] = {
    TEST(bytes_come_lent_and_in_order),
    TEST(all_buffers_may_be_held),
    TEST(buffers_are_returned_on_any_thread),
    TEST(what_others_return_is_lent_again),
    TEST(a_cancelled_next_has_taken_nothing),
    TEST(the_next_after_a_cancelled_one_is_not),
    TEST(nor_is_it_after_one_that_was_queued),
    TEST(the_end_gives_back_what_was_told),
    TEST(what_is_told_hides_no_cancel),
    TEST(what_a_line_left_comes_first),
    TEST(others_wait_for_the_end),
    TEST(a_next_after_the_end_is_refused),
    TEST(one_that_was_never_asked_ends_too),
    TEST(a_close_ends_the_next_that_waits),
    TEST(a_stream_may_be_closed_before_the_end),
    TEST(who_does_not_take_holds_up_nobody),
    TEST(connections_come_one_by_one),
    TEST(connections_that_nobody_took_are_the_listeners),
    TEST(with_the_listener_they_are_closed),
    TEST(a_list_that_never_runs_dry_does_not_grow),
    TEST(errors_are_the_system_calls),
    TEST(every_arrival_is_told),
    TEST(an_engine_without_multishot_is_asked_each_time),
    TEST(one_operation_tells_of_all),
    TEST(many_share_the_buffers_of_their_seats),
    TEST(a_runtime_ends_with_multishots_in_course),
    TEST(a_cancelled_next_leaves_no_waker),
    TEST(a_forked_child_can_only_end_it),
    TEST(stackless_functions_wait_by_futures),
    TEST(a_cancelled_task_waits_for_no_next),
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("multishot", tests, argc, argv);
}
