/* SPDX-License-Identifier: MIT */
/*
 * tests/send_zc_test.c - core/send_zc.h: a send that ends when its buffer is
 * free, over every reactor; and its two steps, where an engine takes them.
 *
 * The other side is a plain descriptor here: what it does not take stays in the
 * sender's buffer, for as long as a test wants.
 */

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/atomic.h"
#include "core/lock.h"
#include "core/runtime.h"
#include "core/stream.h"
#include "everywhere.h"
#include "pons/socket.h"
#include "pons/time.h"
#include "refused.h"

enum {
    BIG = 256 * 1024,
    LENT = 128 * 1024,  // less than the one side's room, more than the other's
    NARROW = 16 * 1024, // what the other side is asked to have room for
    WIDE = 1024 * 1024, // what the sender's socket is
    PARTS = 5,
    FEW = 100, // bytes: no engine lends them, unless it is to lend all
};

static char big[BIG];

static char
byte_at(size_t i)
{
    return (char)(i % 251);
}

/* What stands at `from` of all that is sent. */
static void
fill(char *bytes, size_t n, size_t from)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = byte_at(from + i);
}

/* A stream, and the other side. */
static int
tcp_pair(struct pons_stream **s)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd, other;
    int narrow = NARROW, wide = WIDE;
    socklen_t size = sizeof address;

    CHECK_EQ(
        setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &narrow, sizeof narrow), 0);
    CHECK_EQ(bind(listener, (struct sockaddr *)&address, size), 0);
    CHECK_EQ(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    CHECK_EQ(listen(listener, 1), 0);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &wide, sizeof wide), 0);
    CHECK_EQ(connect(fd, (struct sockaddr *)&address, size), 0);
    other = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    CHECK(other >= 0);
    close(listener);
    CHECK_EQ(pons_stream_adopt(s, fd), 0);
    return other;
}

/* All that comes, to its end: how much. */
static int64_t
take_all(void *arg)
{
    static char bytes[BIG];
    int fd = *(int *)arg;
    int64_t got = 0;
    ssize_t n;

    while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0)
        for (ssize_t i = 0; i < n; i++, got++)
            CHECK_EQ(bytes[i], byte_at((size_t)got));
    CHECK_EQ(n, 0);
    return got;
}

/* --- wherever one may wait --- */

static void
buffer_body(void *arg)
{
    static char buffer[BIG];
    struct pons_send_zc future;
    struct pons_stream *s;
    struct agent taker;
    int64_t sent = 0, n;
    int other = tcp_pair(&s);

    (void)arg;
    agent_start_thread(&taker, take_all, &other);
    for (int i = 0; i < PARTS; i++) { // and writes into it again, at once
        fill(buffer, BIG, (size_t)sent);
        n = pons_send_zc(s, buffer, BIG);
        CHECK(n > 0);
        sent += n;
        fill(buffer, BIG, (size_t)sent);
        pons_send_zc_init(&future, s, buffer, BIG);
        n = pons_await(&future.base);
        CHECK(n > 0);
        sent += n;
    }
    CHECK_EQ(pons_shutdown(s, SHUT_WR), 0);
    memset(buffer, 0, BIG);
    CHECK_EQ(agent_join(&taker), sent);
    close(other);
    pons_stream_close(s);
}

static void
its_buffer_may_be_used_again_when_it_has_ended(void)
{
    everywhere(buffer_body, NULL);
}

static void
results_body(void *arg)
{
    struct pons_stream *s[2];
    char text[4];

    (void)arg;
    stream_pair(s);
    CHECK_EQ(pons_send_zc(s[0], "abc", 3), 3);
    CHECK_EQ(pons_send_zc(s[0], "", 0), 0);
    CHECK_EQ(pons_recv(s[1], text, sizeof text), 3);
    CHECK_EQ(memcmp(text, "abc", 3), 0);
    pons_stream_close(s[1]);
    CHECK_EQ(pons_send_zc(s[0], big, BIG), -EPIPE); // and no SIGPIPE
    pons_stream_close(s[0]);
    stream_pipe(s);
    CHECK_EQ(pons_send_zc(s[1], "abc", 3), 3);
    CHECK_EQ(pons_recv(s[0], text, sizeof text), 3);
    pons_stream_close(s[0]);
    CHECK_EQ(pons_send_zc(s[1], "abc", 3), -EPIPE);
    pons_stream_close(s[1]);
}

static void
its_results_are_those_of_a_send(void)
{
    everywhere(results_body, NULL);
}

static int64_t
send_few(void *s)
{
    return pons_send_zc(s, big, FEW);
}

/* All that there is room for; how much was sent by then. What comes next is in
 * `big`. */
static int64_t
fill_up(struct pons_stream *s, int64_t sent)
{
    int64_t n;

    do {
        fill(big, BIG, (size_t)sent);
        n = send(pons_stream_fd(s), big, BIG, MSG_DONTWAIT);
        sent += n > 0 ? n : 0;
    } while (n > 0);
    return sent;
}

/* 1: it waits for room; 0: there was some, after all, and it ends. */
static int
waits_for_room(struct pons_stream *s, const struct pons_task *t)
{
    while (!pons_task_ended(t)) {
        if (stream_waiting(s, 1) == 1)
            return 1;
        let_others_run();
    }
    return 0;
}

/* Nobody takes anything; but TCP finds a little room now and then. */
static void
cancel_body(void *arg)
{
    struct pons_stream *s;
    struct pons_task *t;
    struct agent taker;
    int64_t result = 0, sent = 0;
    int other = tcp_pair(&s), err;

    (void)arg;
    do {
        sent = fill_up(s, sent + result);
        CHECK_EQ(pons_spawn(NULL, send_few, s, &t), 0);
        if (waits_for_room(s, t))
            pons_cancel(t);
        CHECK_EQ(pons_join(t, &result), 0);
    } while (result > 0);
    CHECK_EQ(result, -ECANCELED);
    result = 0;
    do {
        sent = fill_up(s, sent + result);
        err = pons_timeout(pons_after_ms(1), send_few, s, &result);
    } while (err == 0 && result > 0);
    CHECK_EQ(err, -ETIME);
    CHECK_EQ(shutdown(pons_stream_fd(s), SHUT_WR), 0);
    agent_start_thread(&taker, take_all, &other);
    CHECK_EQ(agent_join(&taker), sent);
    close(other);
    pons_stream_close(s);
}

static void
one_that_waits_for_room_is_cancelled_and_nothing_went(void)
{
    everywhere_in_fibers(cancel_body, NULL);
}

/* --- its two steps --- */

/* In fibers, with an engine that lends every buffer. */
static void
lending(body_f *body)
{
    static const char *const workers[] = {"0", "1", "2", "4"};

    if (!reactor_is_here("uring"))
        SKIP("no engine here sends without a copy: there is no io_uring");
    for (int i = 0; i < 4; i++) {
        within("uring:zero_copy=0", workers[i], body, NULL);
        within("uring:zero_copy=0:entries=2", workers[i], body, NULL);
    }
    within("uring:zero_copy=0:owner=strict", "2", body, NULL);
}

static int64_t
await_big(void *f)
{
    return pons_await(f);
}

/* A send whose count is known, and whose buffer is not free: it has given the
 * turn to whoever comes. */
struct counted {
    struct pons_stream *s;
    int other;
    struct pons_send_zc future;
    struct pons_task *task;
};

static void
counted_begin(struct counted *c)
{
    c->other = tcp_pair(&c->s);
    fill(big, LENT, 0);
    pons_send_zc_init(&c->future, c->s, big, LENT);
    CHECK_EQ(pons_spawn(NULL, await_big, &c->future.base, &c->task), 0);
    while (poni_load_relaxed(&c->future.sent) < 0)
        let_others_run();
    CHECK_EQ(poni_load_relaxed(&c->future.sent), LENT);
    CHECK_EQ(c->future.base.result, -EINPROGRESS);
    CHECK(!pons_task_ended(c->task));
}

/* The other side takes all there is. */
static void
counted_end(struct counted *c, int64_t after)
{
    struct agent taker;
    int64_t result;

    agent_start_thread(&taker, take_all, &c->other);
    CHECK_EQ(pons_join(c->task, &result), 0);
    CHECK_EQ(result, LENT);
    CHECK_EQ(c->future.base.result, LENT);
    memset(big, 0, LENT);
    if (after >= 0)
        CHECK_EQ(pons_shutdown(c->s, SHUT_WR), 0);
    CHECK_EQ(agent_join(&taker), LENT + (after > 0 ? after : 0));
    close(c->other);
    if (after >= 0)
        pons_stream_close(c->s);
}

static void
turn_body(void *arg)
{
    struct counted c;
    char more[4], text[128];

    (void)arg;
    counted_begin(&c);
    fill(more, sizeof more, LENT);
    CHECK_EQ(pons_send(c.s, more, sizeof more), sizeof more);
    CHECK(!pons_task_ended(c.task));
    c.future.base.ops->describe(&c.future.base, text, sizeof text);
    CHECK_HAS(text, "131072 sent, until the buffer is free");
    counted_end(&c, sizeof more);
}

static void
the_next_send_need_not_wait_for_the_buffer(void)
{
    lending(turn_body);
}

static void
cancel_counted_body(void *arg)
{
    struct counted c;

    (void)arg;
    counted_begin(&c);
    pons_cancel(c.task);
    for (int i = 0; i < 10; i++) {
        let_others_run();
        CHECK(!pons_task_ended(c.task));
    }
    counted_end(&c, 0);
}

static void
a_cancel_after_the_count_waits_and_says_how_much_went(void)
{
    lending(cancel_counted_body);
}

static int64_t
close_it(void *arg)
{
    struct counted *c = arg;

    pons_stream_close(c->s);
    return 0;
}

static int
is_closing(struct pons_stream *s)
{
    int closing;

    poni_lock(&s->lock);
    closing = s->phase == STREAM_CLOSING;
    poni_unlock(&s->lock);
    return closing;
}

static void
close_body(void *arg)
{
    struct counted c;
    struct agent closer;

    (void)arg;
    counted_begin(&c);
    agent_start(&closer, close_it, &c);
    while (!is_closing(c.s))
        let_others_run();
    CHECK(!pons_task_ended(c.task));
    CHECK(!pons_task_ended(closer.task));
    counted_end(&c, -1);
    CHECK_EQ(agent_join(&closer), 0);
}

static void
a_close_waits_for_the_buffer(void)
{
    lending(close_body);
}

/* What ends well after its deadline has ended well. */
static int64_t
await_late(void *arg)
{
    struct counted *c = arg;
    int64_t result = 0;
    int err =
        pons_timeout(pons_after_ms(1), await_big, &c->future.base, &result);

    return err < 0 ? err : result;
}

/* Until one has begun before its deadline. */
static void
late_begin(struct counted *c)
{
    for (;;) {
        int64_t result;

        pons_send_zc_init(&c->future, c->s, big, LENT);
        CHECK_EQ(pons_spawn(NULL, await_late, c, &c->task), 0);
        while (poni_load_relaxed(&c->future.sent) < 0 &&
               !pons_task_ended(c->task))
            let_others_run();
        if (poni_load_relaxed(&c->future.sent) == LENT)
            return;
        CHECK_EQ(pons_join(c->task, &result), 0);
        CHECK_EQ(result, -ETIME);
    }
}

static int
is_asked(struct counted *c)
{
    int asked;

    poni_lock(&c->s->lock);
    asked = (c->future.io.op.flags & IO_ASKED) != 0;
    poni_unlock(&c->s->lock);
    return asked;
}

static void
deadline_body(void *arg)
{
    struct counted c;
    struct agent taker;
    int64_t result;

    (void)arg;
    c.other = tcp_pair(&c.s);
    fill(big, LENT, 0);
    late_begin(&c);
    while (!is_asked(&c))
        let_others_run();
    CHECK(!pons_task_ended(c.task));
    agent_start_thread(&taker, take_all, &c.other);
    CHECK_EQ(pons_join(c.task, &result), 0);
    CHECK_EQ(result, LENT);
    CHECK_EQ(pons_shutdown(c.s, SHUT_WR), 0);
    CHECK_EQ(agent_join(&taker), LENT);
    close(c.other);
    pons_stream_close(c.s);
}

static void
a_deadline_waits_and_says_how_much_went(void)
{
    lending(deadline_body);
}

/* The runtime ends while a buffer is lent. */
struct last {
    struct counted c;
    struct agent taker;
};

static void
shutdown_body(void *arg)
{
    struct last *l = arg;

    counted_begin(&l->c);
    pons_detach(l->c.task);
    agent_start_thread(&l->taker, take_all, &l->c.other);
}

static void
a_runtime_ends_when_the_buffers_are_free(void)
{
    struct last l;

    if (!reactor_is_here("uring"))
        SKIP("no engine here sends without a copy: there is no io_uring");
    within("uring:zero_copy=0", "2", shutdown_body, &l);
    CHECK_EQ(l.c.future.base.result, LENT);
    memset(big, 0, LENT);
    pons_stream_close(l.c.s);
    CHECK_EQ(agent_join(&l.taker), LENT);
    close(l.c.other);
}

/* --- elsewhere --- */

static int64_t
buffer_in_fiber(void *arg)
{
    buffer_body(arg);
    return 0;
}

static void
an_engine_without_it_sends_plainly(void)
{
    struct pons_runtime *rt = runtime_of("poll", "2");
    struct pons_task *t;
    int64_t result;

    for (unsigned i = 0; i < rt->seat_count; i++)
        rt->seats[i].reactor->opcodes[0] = 0; // and nothing else, either
    CHECK_EQ(pons_spawn(rt, buffer_in_fiber, NULL, &t), 0);
    CHECK_EQ(pons_join(t, &result), 0);
    CHECK_EQ(result, 0);
    pons_runtime_unref(rt);
}

static void
calls_of_ours(struct pons_stream *s)
{
    CHECK_EQ(pons_send_zc(s, "x", 1), -EDEADLK);
    CHECK_HAS(pons_last_error(), "struct pons_send_zc");
}

static void
the_call_inside_poll_is_refused(void)
{
    refused_inside_poll(calls_of_ours);
}

#define TEST(name)  \
    {               \
#name, name \
    }

static const struct unit_test tests[] = {
    TEST(its_buffer_may_be_used_again_when_it_has_ended),
    TEST(its_results_are_those_of_a_send),
    TEST(one_that_waits_for_room_is_cancelled_and_nothing_went),
    TEST(the_next_send_need_not_wait_for_the_buffer),
    TEST(a_cancel_after_the_count_waits_and_says_how_much_went),
    TEST(a_close_waits_for_the_buffer),
    TEST(a_deadline_waits_and_says_how_much_went),
    TEST(a_runtime_ends_when_the_buffers_are_free),
    TEST(an_engine_without_it_sends_plainly),
    TEST(the_call_inside_poll_is_refused),
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("send_zc", tests, argc, argv);
}
