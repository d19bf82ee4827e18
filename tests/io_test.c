/* SPDX-License-Identifier: MIT */
/*
 * tests/io_test.c - core/io.h: an operation whose stream has its home on
 * another seat: posted, recalled, ended before its recall was read.
 *
 * The states are reached one by one: the home's worker is kept busy, or let go,
 * by a fiber on it. So the tests need two workers, and one processor is enough.
 */

#include "core/io.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/lock.h"
#include "core/runtime.h"
#include "core/seat.h"
#include "core/stream.h"
#include "everywhere.h"

enum { ROUNDS = 200 }; // of the race between bytes, cancels and closes

/*
 *    home    waits on `s` (so that its seat is the home), then on `gate`; a
 * byte there makes it hold its worker until `free` is set guest   on the other
 * seat, does `fn`
 */
struct two {
    struct pons_runtime *rt;
    struct pons_stream *s[2], *gate[2];
    struct pons_task *home, *guest;
    pons_fiber_f *fn;
    char bytes[8];
    int started, met, settled, held, free, closed;
    struct poni_seat *home_seat, *guest_seat;
};

static int
is(const int *flag)
{
    return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void
set(int *flag)
{
    __atomic_store_n(flag, 1, __ATOMIC_RELEASE);
}

static void
until(const int *flag)
{
    while (!is(flag))
        (void)sched_yield();
}

static int64_t
home_main(void *arg)
{
    struct two *t = arg;
    char byte;

    t->home_seat = poni_self.seat;
    set(&t->started);
    until(&t->met); // holds this worker until the guest runs on the other
    CHECK_EQ(pons_recv(t->s[0], &byte, 1), 1);
    CHECK_EQ(pons_recv(t->gate[0], &byte, 1), 1);
    set(&t->held);
    until(&t->free);
    return 0;
}

static int64_t
guest_main(void *arg)
{
    struct two *t = arg;

    t->guest_seat = poni_self.seat;
    set(&t->met);
    until(&t->settled);
    return t->fn(t);
}

static void
two_open(struct two *t, const char *reactor, pons_fiber_f *fn)
{
    *t = (struct two){.rt = runtime_of(reactor, "2"), .fn = fn};
    stream_pair(t->s);
    stream_pair(t->gate);
    CHECK_EQ(pons_spawn(t->rt, home_main, t, &t->home), 0);
    until(&t->started);
    CHECK_EQ(pons_spawn(t->rt, guest_main, t, &t->guest), 0);
    until(&t->met);
    CHECK(t->home_seat != t->guest_seat);
    stream_until(t->s[0], 0, 1);
    CHECK(t->s[0]->home == t->home_seat);
    CHECK_EQ(pons_send(t->s[1], "h", 1), 1);
    stream_until(t->gate[0], 0, 1);
    set(&t->settled);
}

/* From here on the home's worker does nothing, until two_free(). */
static void
two_hold(struct two *t)
{
    CHECK_EQ(pons_send(t->gate[1], "x", 1), 1);
    until(&t->held);
}

static void
two_free(struct two *t)
{
    set(&t->free);
}

/* What the guest's `fn` said. */
static int64_t
two_result(struct two *t)
{
    int64_t result;

    CHECK_EQ(pons_join(t->guest, &result), 0);
    t->guest = NULL;
    return result;
}

static void
two_close(struct two *t)
{
    CHECK(t->guest == NULL);
    CHECK_EQ(pons_join(t->home, NULL), 0);
    for (int i = 0; i < 2; i++) {
        pons_stream_close(t->gate[i]);
        if (i == 1 || !t->closed)
            pons_stream_close(t->s[i]);
    }
    pons_runtime_unref(t->rt);
}

static unsigned
read_state(struct two *t)
{
    unsigned state = IO_NEW;

    poni_lock(&t->s[0]->lock);
    if (t->s[0]->way[0].current != NULL)
        state = t->s[0]->way[0].current->state;
    poni_unlock(&t->s[0]->lock);
    return state;
}

static void
until_read_is(struct two *t, enum io_state state)
{
    while (read_state(t) != state)
        (void)sched_yield();
}

static void
until_read_is_asked_to_end(struct two *t)
{
    for (int asked = 0; !asked; (void)sched_yield()) {
        poni_lock(&t->s[0]->lock);
        asked = t->s[0]->way[0].current->flags & IO_ASKED;
        poni_unlock(&t->s[0]->lock);
    }
}

static void
one_byte_is_left(struct two *t)
{
    char bytes[8];

    CHECK_EQ(recv(pons_stream_fd(t->s[0]), bytes, 8, MSG_DONTWAIT), 1);
}

/* Not uring, whose streams have no home, under whatever name. */
static void
on_each(void (*test)(const char *reactor))
{
    for (const char *const *r = reactors_here(); *r != NULL; r++)
        if (strcmp(*r, "uring") != 0 &&
            !(only_completes() && strcmp(*r, "epoll") == 0))
            test(*r);
}

static int64_t
guest_reads(void *arg)
{
    struct two *t = arg;

    return pons_recv(t->s[0], t->bytes, sizeof t->bytes);
}

static int64_t
guest_reads_later(void *arg)
{
    struct two *t = arg;

    until(&t->held);
    return guest_reads(t);
}

/* --- by the home, or without it --- */

static void
posted_on(const char *reactor)
{
    struct two t;

    two_open(&t, reactor, guest_reads);
    until_read_is(&t, IO_INFLIGHT);
    CHECK_EQ(pons_send(t.s[1], "abc", 3), 3);
    CHECK_EQ(two_result(&t), 3);
    CHECK(memcmp(t.bytes, "abc", 3) == 0);
    two_hold(&t);
    two_free(&t);
    two_close(&t);
}

static void
what_would_block_is_done_by_the_home(void)
{
    on_each(posted_on);
}

static void
tried_on(const char *reactor)
{
    struct two t;

    two_open(&t, reactor, guest_reads_later);
    CHECK_EQ(pons_send(t.s[1], "now", 3), 3);
    two_hold(&t);
    CHECK_EQ(two_result(&t), 3); // the home does nothing meanwhile
    two_free(&t);
    two_close(&t);
}

static void
what_would_not_block_does_not_wait_for_the_home(void)
{
    on_each(tried_on);
}

static void
queued_on(const char *reactor)
{
    struct two t;

    two_open(&t, reactor, guest_reads_later);
    two_hold(&t);
    until_read_is(&t, IO_POSTED);
    CHECK_EQ(pons_send(t.s[1], "b", 1), 1); // before the home has looked
    two_free(&t);
    CHECK_EQ(two_result(&t), 1);
    two_close(&t);
}

static void
posted_operation_finds_bytes_that_came_meanwhile(void)
{
    on_each(queued_on);
}

/* --- cancelled --- */

static void
cancel_posted_on(const char *reactor)
{
    struct two t;

    two_open(&t, reactor, guest_reads_later);
    two_hold(&t);
    until_read_is(&t, IO_POSTED);
    pons_cancel(t.guest);
    until_read_is_asked_to_end(&t);
    CHECK_EQ(pons_send(t.s[1], "x", 1), 1);
    two_free(&t);
    CHECK_EQ(two_result(&t), -ECANCELED);
    one_byte_is_left(&t);
    two_close(&t);
}

static void
cancel_of_what_was_posted_consumes_nothing(void)
{
    on_each(cancel_posted_on);
}

static void
recall_on(const char *reactor)
{
    struct two t;

    two_open(&t, reactor, guest_reads);
    until_read_is(&t, IO_INFLIGHT);
    two_hold(&t);
    pons_cancel(t.guest);
    until_read_is(&t, IO_RECALLED);
    two_free(&t);
    CHECK_EQ(two_result(&t), -ECANCELED);
    CHECK_EQ(pons_send(t.s[1], "x", 1), 1);
    one_byte_is_left(&t);
    two_close(&t);
}

static void
cancel_of_what_the_home_has_is_done_there(void)
{
    on_each(recall_on);
}

static void
ended_recalled_on(const char *reactor)
{
    struct two t;

    two_open(&t, reactor, guest_reads);
    until_read_is(&t, IO_INFLIGHT);
    two_hold(&t);
    pons_cancel(t.guest);
    until_read_is(&t, IO_RECALLED);
    CHECK_EQ(pons_send(t.s[1], "x", 1), 1); // the event comes before the recall
    two_free(&t);
    CHECK_EQ(two_result(&t), 1);
    CHECK_EQ(t.bytes[0], 'x');
    two_close(&t);
}

static void
what_ended_before_its_recall_was_read_has_its_result(void)
{
    on_each(ended_recalled_on);
}

/* --- closed --- */

static int64_t
closes(void *arg)
{
    struct two *t = arg;

    pons_stream_close(t->s[0]);
    return 0;
}

static void
close_while(const char *reactor, pons_fiber_f *guest, enum io_state before,
            enum io_state after)
{
    struct agent closer;
    struct two t;

    two_open(&t, reactor, guest);
    if (before == IO_INFLIGHT)
        until_read_is(&t, before);
    two_hold(&t);
    until_read_is(&t, before);
    t.closed = 1;
    agent_start_thread(&closer, closes, &t);
    until_read_is_asked_to_end(&t);
    CHECK_EQ(read_state(&t), after);
    two_free(&t);
    CHECK_EQ(two_result(&t), -ECANCELED);
    CHECK_EQ(agent_join(&closer), 0);
    two_close(&t);
}

static void
close_on(const char *reactor)
{
    close_while(reactor, guest_reads, IO_INFLIGHT, IO_RECALLED);
    close_while(reactor, guest_reads_later, IO_POSTED, IO_POSTED);
}

static void
close_waits_for_what_the_home_has(void)
{
    on_each(close_on);
}

static int64_t
guest_does_nothing(void *arg)
{
    (void)arg;
    return 0;
}

static void
forget_on(const char *reactor)
{
    struct agent closer;
    struct two t;
    int fd;

    two_open(&t, reactor, guest_does_nothing);
    CHECK_EQ(two_result(&t), 0);
    fd = pons_stream_fd(t.s[0]);
    two_hold(&t);
    t.closed = 1;
    agent_start_thread(&closer, closes, &t);
    for (int closing = 0; !closing; (void)sched_yield()) {
        poni_lock(&t.s[0]->lock);
        closing = t.s[0]->closer.ops != NULL; // it waits for the home
        poni_unlock(&t.s[0]->lock);
    }
    CHECK(fcntl(fd, F_GETFD) >= 0); // and is open until it has forgotten
    two_free(&t);
    CHECK_EQ(agent_join(&closer), 0);
    CHECK(fcntl(fd, F_GETFD) < 0);
    two_close(&t);
}

static void
close_waits_until_the_home_has_forgotten(void)
{
    on_each(forget_on);
}

/* --- two runtimes --- */

static int64_t
reads_one(void *stream)
{
    char byte;

    return pons_recv(stream, &byte, 1);
}

/* `s[0]` has its home in `rt`. */
static void
settle(struct pons_runtime *rt, struct pons_stream *s[2])
{
    struct pons_task *t;

    CHECK_EQ(pons_spawn(rt, reads_one, s[0], &t), 0);
    stream_until(s[0], 0, 1);
    CHECK_EQ(pons_send(s[1], "x", 1), 1);
    CHECK_EQ(pons_join(t, NULL), 0);
}

static void
stream_outlives_the_runtime_of_its_home(void)
{
    struct pons_runtime *a = runtime_of("epoll", "1");
    struct pons_runtime *b = runtime_of("poll", "2");
    struct pons_stream *s[2];

    stream_pair(s);
    settle(a, s);
    pons_runtime_unref(a);
    settle(b, s);
    pons_runtime_unref(b);
    CHECK_EQ(pons_send(s[1], "x", 1), 1);
    CHECK_EQ(reads_one(s[0]), 1);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
}

static int64_t
unrefs(void *rt)
{
    pons_runtime_unref(rt);
    return 0;
}

/* The home's runtime ends while it has an operation of another's task. */
static void
foreign_operation(int cancelled)
{
    struct pons_runtime *a = runtime_of("epoll", "1");
    struct pons_runtime *b = runtime_of("poll", "1");
    struct pons_stream *s[2];
    struct agent end;
    struct pons_task *t;
    int64_t result;

    stream_pair(s);
    settle(a, s);
    CHECK_EQ(pons_spawn(b, reads_one, s[0], &t), 0);
    stream_until(s[0], 0, 1);
    CHECK_EQ(s[0]->way[0].current->state, IO_INFLIGHT);
    agent_start_thread(&end, unrefs, a);
    while (poni_load_acquire(&a->phase) != RUNTIME_STOPPED)
        (void)sched_yield();
    if (cancelled)
        pons_cancel(t);
    else
        CHECK_EQ(pons_send(s[1], "x", 1), 1);
    CHECK_EQ(pons_join(t, &result), 0);
    CHECK_EQ(result, cancelled ? -ECANCELED : 1);
    CHECK_EQ(agent_join(&end), 0);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
    pons_runtime_unref(b);
}

static void
runtime_that_ends_waits_for_operations_of_another(void)
{
    foreign_operation(0);
}

static void
operation_in_a_runtime_that_ends_can_be_cancelled(void)
{
    foreign_operation(1);
}

/* --- all at once --- */

struct race {
    struct pons_stream *s[2];
    int64_t got;
};

static int64_t
race_reads(void *arg)
{
    struct race *r = arg;
    char bytes[8];
    int64_t n = pons_recv(r->s[0], bytes, sizeof bytes);

    CHECK(n > 0 || n == -ECANCELED);
    if (n > 0)
        __atomic_fetch_add(&r->got, n, __ATOMIC_RELAXED);
    return n;
}

static int64_t
race_sends(void *arg)
{
    struct race *r = arg;

    for (int i = 0; i < ROUNDS; i++) {
        CHECK_EQ(pons_send(r->s[1], "xy", 2), 2);
        (void)sched_yield();
    }
    return 0;
}

static void
race_on(const char *reactor)
{
    struct pons_runtime *rt = runtime_of(reactor, "4");
    struct race r = {.got = 0};
    struct pons_task *t[8];
    struct agent sender;
    char bytes[4096];
    int64_t left = 0, n;

    stream_pair(r.s);
    agent_start_thread(&sender, race_sends, &r);
    for (int i = 0; i < ROUNDS; i++) {
        for (int j = 0; j < 8; j++)
            CHECK_EQ(pons_spawn(rt, race_reads, &r, &t[j]), 0);
        for (int j = 0; j < 8; j++)
            pons_cancel(t[(i + 3 * j) % 8]);
        for (int j = 0; j < 8; j++)
            CHECK_EQ(pons_join(t[j], NULL), 0);
    }
    CHECK_EQ(agent_join(&sender), 0);
    while ((n = recv(pons_stream_fd(r.s[0]), bytes, sizeof bytes,
                     MSG_DONTWAIT)) > 0)
        left += n;
    CHECK_EQ(r.got + left, 2 * ROUNDS);
    pons_stream_close(r.s[0]);
    pons_stream_close(r.s[1]);
    pons_runtime_unref(rt);
}

static void
no_byte_is_lost_between_seats(void)
{
    on_each(race_on);
}

static void
close_race_on(const char *reactor)
{
    struct pons_runtime *rt = runtime_of(reactor, "4");

    for (int i = 0; i < ROUNDS; i++) {
        struct race r = {.got = 0};
        struct pons_task *t[4];

        stream_pair(r.s);
        for (int j = 0; j < 4; j++)
            CHECK_EQ(pons_spawn(rt, race_reads, &r, &t[j]), 0);
        stream_until(r.s[0], 0, 4);
        if (i % 2)
            CHECK_EQ(pons_send(r.s[1], "abc", 3), 3);
        if (i % 3 == 0)
            pons_cancel(t[i % 4]);
        pons_stream_close(r.s[0]);
        for (int j = 0; j < 4; j++)
            CHECK_EQ(pons_join(t[j], NULL), 0);
        pons_stream_close(r.s[1]);
    }
    pons_runtime_unref(rt);
}

static void
close_races_with_bytes_and_cancels(void)
{
    on_each(close_race_on);
}

static const struct unit_test tests[] = {
#define T(name)     \
    {               \
#name, name \
    }
    T(what_would_block_is_done_by_the_home),
    T(what_would_not_block_does_not_wait_for_the_home),
    T(posted_operation_finds_bytes_that_came_meanwhile),
    T(cancel_of_what_was_posted_consumes_nothing),
    T(cancel_of_what_the_home_has_is_done_there),
    T(what_ended_before_its_recall_was_read_has_its_result),
    T(close_waits_for_what_the_home_has),
    T(close_waits_until_the_home_has_forgotten),
    T(stream_outlives_the_runtime_of_its_home),
    T(runtime_that_ends_waits_for_operations_of_another),
    T(operation_in_a_runtime_that_ends_can_be_cancelled),
    T(no_byte_is_lost_between_seats),
    T(close_races_with_bytes_and_cancels),
#undef T
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("io", tests, argc, argv);
}
