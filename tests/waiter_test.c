/* SPDX-License-Identifier: MIT */
/*
 * tests/waiter_test.c - core/waiter.h: no wake is lost, whether the thread
 * looks at its word, sleeps on it, is in ppoll(2), or works on a seat.
 */

#include "core/atomic.h"
#include "core/runtime.h"
#include "core/self.h"
#include "core/waiter.h"
#include "crew.h"
#include "everywhere.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum way { BY_FUTEX, BY_PPOLL, BY_SEAT, WAYS };

/* A thread that waits in one way, until its flag is set. */
struct sleeper {
    enum way way;
    struct pons_waker waker; // lent, or a clone
    struct poni_waiter *waiter;
    uint64_t deadline_ns;
    uint32_t flag;
    int payload; // plain: what the notifier leaves
    /* What it waits in. */
    int pipe[2];
    struct pons_op op;
    struct poni_wait wait;
    struct pons_runtime *rt;
    struct poni_seat *seat;
};

static void
sleeper_list(struct sleeper *s, struct pons_op *op, int fd)
{
    op->fd = fd;
    op->event_flags = POLLIN;
    op->next = s->wait.ops;
    s->wait.ops = op;
    s->wait.op_count++;
}

/* Here and now: the sleeper is this thread. */
static void
sleeper_open(struct sleeper *s, enum way way)
{
    memset(s, 0, sizeof *s);
    s->way = way;
    s->deadline_ns = PONS_NEVER;
    s->waiter = poni_waiter_self();
    CHECK(s->waiter != NULL);
    s->waker = (struct pons_waker){&poni_waiter_waker_ops, s->waiter};
    if (way == BY_PPOLL) {
        CHECK_EQ(pipe(s->pipe), 0);
        sleeper_list(s, &s->op, s->pipe[0]);
    } else if (way == BY_SEAT) {
        s->rt = runtime_of("epoll", "0");
        s->seat = poni_sit(s->rt);
        CHECK(s->seat != NULL);
    }
}

static void
sleeper_close(struct sleeper *s)
{
    if (s->way == BY_PPOLL) {
        close(s->pipe[0]);
        close(s->pipe[1]);
    } else if (s->way == BY_SEAT) {
        poni_unsit(s->seat);
        pons_runtime_unref(s->rt);
    }
}

static void
sleeper_park(struct sleeper *s)
{
    if (s->way == BY_SEAT)
        poni_waiter_drive(s->waiter, s->seat, s->deadline_ns);
    else
        poni_waiter_park(s->waiter, &s->wait, s->deadline_ns);
}

/* Parks once for each notify: it is the park's end that publishes the payload.
 */
static void
sleeper_await(struct sleeper *s)
{
    do
        sleeper_park(s);
    while (!poni_load_relaxed(&s->flag));
    CHECK_EQ(s->payload, 42);
    s->payload = 0;
    poni_store_relaxed(&s->flag, 0);
}

static void
sleeper_notify(struct sleeper *s)
{
    s->payload = 42; // plain: the flag is relaxed, the notify publishes it
    poni_store_relaxed(&s->flag, 1);
    pons_waker_notify(&s->waker);
}

static int
is_parked(const struct sleeper *s)
{
    uint32_t word = poni_load_acquire(&s->waiter->word);

    return word == WAITER_ASLEEP || word == WAITER_POLLING;
}

/* --- before and during --- */

static struct sleeper one;
static uint32_t opened;

static void
a_notify_before_the_park_ends_it(void)
{
    for (int way = 0; way < WAYS; way++) {
        sleeper_open(&one, way);
        pons_waker_notify(&one.waker);
        CHECK(poni_waiter_notified(one.waiter));
        sleeper_park(&one);
        CHECK(!poni_waiter_notified(one.waiter)); // it was for that park only
        CHECK_EQ(one.waiter->word, WAITER_AWAKE);
        sleeper_close(&one);
    }
}

static void
notifies_count_as_one(void)
{
    sleeper_open(&one, BY_FUTEX);
    for (int i = 0; i < 5; i++)
        pons_waker_notify(&one.waker);
    sleeper_park(&one);
    one.deadline_ns = pons_now(); // the next park ends by time only
    sleeper_park(&one);
    CHECK_EQ(one.waiter->word, WAITER_AWAKE);
}

static void
park_then_notify(int who)
{
    for (int way = 0; way < WAYS; way++)
        for (int i = 0; i < 100; i++) {
            if (who == 0) {
                sleeper_open(&one, way);
                one.waiter->spin.ticks = 0;
                crew_meet();
                sleeper_await(&one);
                crew_meet();
                CHECK_EQ(one.waiter->word, WAITER_AWAKE);
                sleeper_close(&one);
                continue;
            }
            crew_meet();
            while (!is_parked(&one))
                crew_relax();
            sleeper_notify(&one);
            crew_meet();
        }
}

static void
a_notify_during_the_park_ends_it(void)
{
    crew_run(2, park_then_notify);
}

static void
notify_keeps_errno(void)
{
    for (int way = 0; way < WAYS; way++) {
        sleeper_open(&one, way);
        errno = 4711;
        pons_waker_notify(&one.waker);
        CHECK_EQ(errno, 4711);
        one.waiter->word = WAITER_POLLING; // as in ppoll, without a bell
        one.waiter->bell = -1;
        pons_waker_notify(&one.waker);
        CHECK_EQ(errno, 4711);
        CHECK_EQ(one.waiter->word, WAITER_NOTIFIED);
        poni_waiter_clear(one.waiter);
        sleeper_close(&one);
    }
}

/* --- time and descriptors --- */

static void
a_park_ends_at_its_deadline_without_a_notify(void)
{
    for (int way = 0; way < WAYS; way++) {
        uint64_t deadline;

        sleeper_open(&one, way);
        deadline = one.deadline_ns = pons_after_ms(3);
        while (pons_now() < deadline)
            sleeper_park(&one);
        CHECK_EQ(one.waiter->word, WAITER_AWAKE);
        sleeper_close(&one);
    }
}

static void
a_listed_sleep_is_a_deadline_too(void)
{
    struct pons_sleep sleeps[3];

    sleeper_open(&one, BY_FUTEX);
    for (int i = 0; i < 3; i++) {
        pons_sleep_init(&sleeps[i], i == 1 ? pons_after_ms(2) : PONS_NEVER);
        sleeps[i].links[0] = one.wait.sleeps;
        one.wait.sleeps = &sleeps[i];
    }
    while (pons_now() < sleeps[1].deadline_ns)
        sleeper_park(&one);
    one.wait.sleeps = NULL;
}

static void
a_ready_descriptor_ends_the_park_and_is_named(void)
{
    struct pons_op other = {0};
    int quiet[2];

    sleeper_open(&one, BY_PPOLL);
    CHECK_EQ(pipe(quiet), 0);
    sleeper_list(&one, &other, quiet[0]);
    CHECK_EQ(write(one.pipe[1], "x", 1), 1);
    one.op.res = other.res = -1;
    sleeper_park(&one);
    CHECK_EQ(one.op.res, POLLIN);
    CHECK_EQ(other.res, 0);
    close(one.pipe[1]); // now an end of file
    one.pipe[1] = dup(quiet[1]);
    sleeper_park(&one);
    CHECK(one.op.res & POLLHUP);
    sleeper_close(&one);
    close(quiet[0]);
    close(quiet[1]);
}

static void
many_descriptors_are_all_looked_at(void)
{
    enum { PIPES = 100 };
    static struct pons_op ops[PIPES];
    static int pipes[PIPES][2];

    sleeper_open(&one, BY_PPOLL);
    for (int i = 0; i < PIPES; i++) {
        CHECK_EQ(pipe(pipes[i]), 0);
        sleeper_list(&one, &ops[i], pipes[i][0]);
    }
    for (int ready = 0; ready < PIPES; ready++) {
        CHECK_EQ(write(pipes[ready][1], "x", 1), 1);
        sleeper_park(&one);
        for (int i = 0; i < PIPES; i++)
            CHECK_EQ(ops[i].res, i <= ready ? POLLIN : 0);
    }
    for (int i = 0; i < PIPES; i++) {
        close(pipes[i][0]);
        close(pipes[i][1]);
    }
    sleeper_close(&one);
}

static uint32_t signals;

static void
on_signal(int number)
{
    (void)number;
    poni_add(&signals, 1);
}

/* ppoll leaves revents as they were when a signal interrupts it. */
static void
interrupt(int who)
{
    static pthread_t sleeper;

    if (who == 0) {
        sleeper = pthread_self();
        sleeper_open(&one, BY_PPOLL);
        poni_store_release(&opened, 1);
        one.op.res = -1;
        while (poni_load_acquire(&signals) == 0)
            sleeper_park(&one);
        CHECK_EQ(one.op.res, 0);
        while (!poni_load_relaxed(&one.flag))
            sleeper_park(&one);
        crew_meet();
        sleeper_close(&one);
        return;
    }
    while (!poni_load_acquire(&opened) || !is_parked(&one))
        crew_relax();
    pthread_kill(sleeper, SIGUSR1);
    while (poni_load_acquire(&signals) == 0)
        crew_relax();
    sleeper_notify(&one);
    crew_meet();
}

static void
a_signal_makes_no_descriptor_ready(void)
{
    struct sigaction a = {.sa_handler = on_signal};

    CHECK_EQ(sigaction(SIGUSR1, &a, NULL), 0);
    crew_run(2, interrupt);
}

static void
a_ready_descriptor_and_a_notify_at_once_are_both_seen(void)
{
    sleeper_open(&one, BY_PPOLL);
    CHECK_EQ(write(one.pipe[1], "x", 1), 1);
    pons_waker_notify(&one.waker);
    sleeper_park(&one); // for the notify; may have looked, or not
    sleeper_park(&one);
    CHECK_EQ(one.op.res, POLLIN);
    sleeper_close(&one);
}

/* --- lives --- */

static struct pons_waker left; // a clone that outlives its thread

static void *
leave_a_waker(void *unused)
{
    struct pons_waker w = {&poni_waiter_waker_ops, poni_waiter_self()};

    pons_waker_set(&left, &w);
    return unused;
}

static void
a_waker_may_outlive_its_thread(void)
{
    pthread_t thread;

    for (int i = 0; i < 3; i++) {
        CHECK_EQ(pthread_create(&thread, NULL, leave_a_waker, NULL), 0);
        CHECK_EQ(pthread_join(thread, NULL), 0);
        pons_waker_notify(&left);
        if (i == 0)
            pons_waker_drop(&left);
        else
            pons_waker_wake(&left);
        CHECK(left.ops == NULL);
    }
}

static pthread_key_t late_key;
static int late_waits;

/* Runs after the waiter's own destructor: keys are destroyed in their order. */
static void
wait_late(void *unused)
{
    (void)unused;
    CHECK_EQ(pons_sleep(1), 0);
    late_waits++;
}

static void *
wait_and_leave_a_late_wait(void *unused)
{
    CHECK_EQ(pons_sleep(1), 0);
    CHECK_EQ(pthread_setspecific(late_key, &late_key), 0);
    return unused;
}

static void
a_thread_may_wait_in_its_destructors(void)
{
    pthread_t thread;

    CHECK(poni_waiter_self() != NULL); // its key is made before this one
    CHECK_EQ(pthread_key_create(&late_key, wait_late), 0);
    CHECK_EQ(pthread_create(&thread, NULL, wait_and_leave_a_late_wait, NULL),
             0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(late_waits, 1);
}

/* --- many times --- */

enum { PING_PONGS = 100000 };

static struct sleeper two[2];
static enum way two_ways[2];
static int ping_pongs;

static void
ping_pong(int who)
{
    struct sleeper *me = &two[who], *other = &two[!who];

    sleeper_open(me, two_ways[who]);
    crew_meet();
    for (int i = 0; i < ping_pongs; i++) {
        if (i % 7 == 0)
            me->waiter->spin.ticks = 0; // so that it sleeps now and then
        if (who == 1)
            sleeper_await(me);
        sleeper_notify(other);
        if (who == 0)
            sleeper_await(me);
    }
    crew_meet();
    sleeper_close(me);
}

static void
no_wake_is_lost_in_ping_pong(void)
{
    for (int a = 0; a < WAYS; a++)
        for (int b = 0; b <= a; b++) {
            two_ways[0] = (enum way)a;
            two_ways[1] = (enum way)b;
            ping_pongs = a + b == 0 ? PING_PONGS : PING_PONGS / 10;
            crew_run(2, ping_pong);
        }
}

/* Several notify at once; the last word of each must be followed by a look. */
enum { NOTIFIERS = 3, POSTS = 20000 };

static uint64_t posts[NOTIFIERS];

static void
storm(int who)
{
    for (int way = 0; way < WAYS; way++) {
        if (who == 0) {
            memset(posts, 0, sizeof posts);
            sleeper_open(&one, way);
        }
        crew_meet();
        if (who > 0) {
            for (uint64_t i = 1; i <= POSTS; i++) {
                poni_store_relaxed(&posts[who - 1], i);
                pons_waker_notify(&one.waker);
            }
        } else {
            for (uint64_t sum = 0; sum < NOTIFIERS * POSTS;) {
                sleeper_park(&one);
                sum = 0;
                for (int i = 0; i < NOTIFIERS; i++)
                    sum += poni_load_relaxed(&posts[i]);
            }
        }
        crew_meet();
        if (who == 0)
            sleeper_close(&one);
    }
}

static void
the_last_of_many_notifies_is_seen(void)
{
    crew_run(1 + NOTIFIERS, storm);
}

static const struct unit_test tests[] = {
    {"a_notify_before_the_park_ends_it", a_notify_before_the_park_ends_it},
    {"notifies_count_as_one", notifies_count_as_one},
    {"a_notify_during_the_park_ends_it", a_notify_during_the_park_ends_it},
    {"notify_keeps_errno", notify_keeps_errno},
    {"a_park_ends_at_its_deadline_without_a_notify",
     a_park_ends_at_its_deadline_without_a_notify},
    {"a_listed_sleep_is_a_deadline_too", a_listed_sleep_is_a_deadline_too},
    {"a_ready_descriptor_ends_the_park_and_is_named",
     a_ready_descriptor_ends_the_park_and_is_named},
    {"many_descriptors_are_all_looked_at", many_descriptors_are_all_looked_at},
    {"a_signal_makes_no_descriptor_ready", a_signal_makes_no_descriptor_ready},
    {"a_ready_descriptor_and_a_notify_at_once_are_both_seen",
     a_ready_descriptor_and_a_notify_at_once_are_both_seen},
    {"a_waker_may_outlive_its_thread", a_waker_may_outlive_its_thread},
    {"a_thread_may_wait_in_its_destructors",
     a_thread_may_wait_in_its_destructors},
    {"no_wake_is_lost_in_ping_pong", no_wake_is_lost_in_ping_pong},
    {"the_last_of_many_notifies_is_seen", the_last_of_many_notifies_is_seen},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("waiter", tests, argc, argv);
}
