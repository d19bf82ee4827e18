/* SPDX-License-Identifier: MIT */
/*
 * tests/multishot_test.c - pons/multishot.h on every reactor, with every number
 * of workers, and without any.
 */

#include "pons/multishot.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/lock.h"
#include "core/multishot.h"
#include "core/stream.h"
#include "course.h"
#include "everywhere.h"

enum {
    BIG = 400000, // bytes
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
    struct course c;
    struct agent a;
    size_t got = 0;
    int64_t n;

    (void)arg;
    course_begin(&c);
    agent_start(&a, send_big, c.s[1]);
    while ((n = pons_recv_next(&c.m, &c.bytes)) > 0) {
        CHECK_EQ(c.bytes.size, (size_t)n);
        got = check_bytes(&c.bytes, got);
        pons_lent_return(&c.bytes);
        CHECK(c.bytes.data == NULL);
    }
    CHECK_EQ(n, 0);
    CHECK(c.bytes.data == NULL && c.bytes.owner == NULL);
    CHECK_EQ(got, BIG);
    CHECK_EQ(pons_recv_next(&c.m, &c.bytes), 0); // the end stays the end
    CHECK_EQ(pons_recv_multi_end(&c.m), 0);
    CHECK_EQ(pons_recv_multi_end(&c.m), 0);
    CHECK_EQ(agent_join(&a), 0);
    course_close(&c);
}

static void
bytes_come_lent_and_in_order(void)
{
    everywhere(bytes_body, NULL);
}

/* --- a next that is cancelled --- */

static void
cancel_body(void *arg)
{
    struct course c;
    struct agent a;
    size_t got = 0;
    int64_t n;

    (void)arg;
    course_begin(&c);
    course_next_is_late(&c, 0);
    CHECK(c.bytes.data == NULL);
    course_next_is_late(&c, 1000000);
    agent_start(&a, send_big, c.s[1]);
    for (uint64_t ns = 0; got < BIG; ns = (ns + 7001) % 100000) {
        n = course_next_until(&c, ns);
        if (n > 0)
            got = check_bytes(&c.bytes, got);
        else
            CHECK(n == -ETIME || n == -ECANCELED);
        pons_lent_return(&c.bytes);
    }
    CHECK_EQ(got, BIG);
    CHECK_EQ(pons_recv_multi_end(&c.m), 0);
    CHECK_EQ(agent_join(&a), 0);
    course_close(&c);
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
    struct course c;

    (void)arg;
    course_begin(&c);
    course_next_is_late(&c, 1000000);
    course_pass(&c, "x");
    course_end(&c);
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
    struct course c;
    struct agent a;

    (void)arg;
    course_begin(&c);
    agent_start(&a, recv_one, c.s[0]);
    stream_until(c.s[0], 0, 1);
    course_next_is_late(&c, 1000000); // behind the other
    course_say(&c, "a");
    CHECK_EQ(agent_join(&a), 1);
    course_pass(&c, "b");
    course_end(&c);
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
    struct course c;
    char line[32];

    (void)arg;
    course_begin(&c);
    course_pass(&c, "a");
    course_say(&c, "first\nsec");
    until_told(c.s[0], &c.m.multi);
    CHECK_EQ(pons_recv_multi_end(&c.m), 0);
    course_say(&c, "ond\nthird");
    CHECK_EQ(pons_read_line(c.s[0], line, sizeof line), 5);
    CHECK_EQ(strcmp(line, "first"), 0);
    pons_recv_multi_init(&c.m, c.s[0]);
    /* What was read beyond the line comes first. */
    CHECK(pons_recv_next(&c.m, &c.bytes) >= 3);
    CHECK_EQ(memcmp(c.bytes.data, "sec", 3), 0);
    pons_lent_return(&c.bytes);
    course_end(&c);
}

static void
the_end_gives_back_what_was_told(void)
{
    everywhere(end_body, NULL);
}

static void
due_body(void *arg)
{
    struct course c;

    (void)arg;
    course_begin(&c);
    course_pass(&c, "a");
    course_say(&c, "b");
    until_told(c.s[0], &c.m.multi);
    course_next_is_late(&c, 0); // told or not: a cancel is heard
    course_hear(&c, "b");
    pons_lent_return(&c.bytes);
    course_end(&c);
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
    struct course c;
    struct agent line, next;

    (void)arg;
    course_begin(&c);
    agent_start(&line, read_first, c.s[0]);
    stream_until(c.s[0], 0, 1);
    agent_start(&next, next_is_second, &c.m);
    stream_until(c.s[0], 0, 2);
    course_say(&c, "first\nsec");
    CHECK_EQ(agent_join(&line), 0);
    course_say(&c, "ond");
    CHECK_EQ(agent_join(&next), 0);
    course_end(&c);
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
    struct course c;
    struct agent a;

    (void)arg;
    course_begin(&c);
    course_pass(&c, "a");
    agent_start(&a, recv_one, c.s[0]);
    stream_until(c.s[0], 0, 2);
    course_pass(&c, "b");
    CHECK_EQ(pons_recv_multi_end(&c.m), 0);
    course_say(&c, "c");
    CHECK_EQ(agent_join(&a), 1);
    course_close(&c);
}

static void
others_wait_for_the_end(void)
{
    everywhere(in_between_body, NULL);
}

static void
ended_body(void *arg)
{
    struct course c;

    (void)arg;
    course_begin(&c);
    CHECK_EQ(pons_recv_multi_end(&c.m), 0);
    CHECK_EQ(pons_recv_next(&c.m, &c.bytes), -EINVAL);
    CHECK(c.bytes.data == NULL);
    course_close(&c);
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
    struct course c;
    struct agent a;

    (void)arg;
    course_begin(&c);
    agent_start(&a, next_and_say, &c.m);
    stream_until(c.s[0], 0, 1);
    pons_stream_close(c.s[0]);
    CHECK_EQ(agent_join(&a), -ECANCELED);
    CHECK_EQ(pons_recv_next(&c.m, &c.bytes), -ECANCELED);
    CHECK_EQ(pons_recv_multi_end(&c.m), 0);
    pons_stream_close(c.s[1]);
}

static void
a_close_ends_the_next_that_waits(void)
{
    everywhere(close_body, NULL);
}

static void
closed_before_body(void *arg)
{
    struct course c;

    (void)arg;
    course_begin(&c);
    course_say(&c, "ab");
    course_hear(&c, "ab");
    course_say(&c, "cd");
    until_told(c.s[0], &c.m.multi);
    course_close(&c);
    CHECK_EQ(memcmp(c.bytes.data, "ab", 2), 0); // ours until we return it
    pons_lent_return(&c.bytes);
    CHECK_EQ(pons_recv_multi_end(&c.m), 0);
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
    static const char piece[6400];
    int64_t n, all = 0;

    while (all < BIG && (n = pons_send(s, piece, sizeof piece)) > 0)
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
    struct course slow;
    struct pons_stream *other[2];
    struct agent a;
    int64_t got = 0, n;
    char c;

    (void)arg;
    course_begin(&slow);
    stream_pair(other);
    course_pass(&slow, "x");
    agent_start(&a, flood, slow.s[1]);
    for (int i = 0; i < 100; i++) { // others go on meanwhile
        CHECK_EQ(pons_send(other[1], "y", 1), 1);
        CHECK_EQ(pons_recv(other[0], &c, 1), 1);
    }
    until_paused(&slow.m.multi);
    while ((n = course_next_until(&slow, 200000000)) > 0) {
        got += n;
        pons_lent_return(&slow.bytes);
    }
    CHECK_EQ(got, agent_join(&a));
    course_end(&slow);
    pons_stream_close(other[0]);
    pons_stream_close(other[1]);
}

static void
who_does_not_take_holds_up_nobody(void)
{
    everywhere(pause_body, NULL);
}

/* --- errors --- */

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

static void
an_engine_without_multishot_is_asked_each_time(void)
{
    static body_f *const bodies[] = {
        bytes_body, cancel_body,         end_body, pause_body, poll_body,
        close_body, not_a_listener_body,
    };

    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        without_multishot_anywhere(bodies[i]);
}

/* Begun in a runtime, and left in course there. */
static int64_t
leave_in_course(void *arg)
{
    struct course *c = arg;

    course_begin(c);
    course_pass(c, "a");
    course_say(c, "b");
    until_told(c->s[0], &c->m.multi);
    return 0;
}

static void
course_runs(struct pons_runtime *rt, pons_fiber_f *fn, struct course *c)
{
    struct pons_task *t;
    int64_t answer;

    CHECK_EQ(pons_spawn(rt, fn, c, &t), 0);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(answer, 0);
}

static void
left_in_course(const char *reactor, const char *workers)
{
    struct pons_runtime *rt = runtime_of(reactor, workers);
    struct course c;

    course_runs(rt, leave_in_course, &c);
    pons_runtime_unref(rt);
    course_hear(&c, "b");
    pons_lent_return(&c.bytes);
    course_pass(&c, "c");
    course_say(&c, "d");
    course_end(&c);
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
    course_next_is_late(arg, 1000000);
    return 0;
}

/* The waiter has gone, and its runtime, when bytes come. */
static void
a_cancelled_next_leaves_no_waker(void)
{
    struct pons_runtime *rt = runtime_of("epoll", "1"), *other;
    struct course c;

    course_runs(rt, leave_in_course, &c);
    course_hear(&c, "b");
    pons_lent_return(&c.bytes);
    other = runtime_of("epoll", "1");
    course_runs(other, next_for_a_while, &c);
    pons_runtime_unref(other);
    course_pass(&c, "c");
    course_end(&c);
    pons_runtime_unref(rt);
}

static void
fork_body(void *arg)
{
    struct course c;
    int status;
    pid_t pid;

    (void)arg;
    course_begin(&c);
    course_say(&c, "a");
    CHECK_EQ(pons_recv_next(&c.m, &c.bytes), 1);
    pid = fork();
    if (pid == 0) {
        struct pons_lent more;
        int wrong = pons_recv_next(&c.m, &more) != -EOWNERDEAD;

        pons_lent_return(&c.bytes);
        wrong += pons_recv_multi_end(&c.m) != 0;
        _exit(wrong);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    pons_lent_return(&c.bytes);
    course_pass(&c, "b");
    course_end(&c);
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
    TEST(errors_are_the_system_calls),
    TEST(every_arrival_is_told),
    TEST(an_engine_without_multishot_is_asked_each_time),
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
