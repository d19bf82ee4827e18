/* SPDX-License-Identifier: MIT */
/*
 * tests/shutdown_test.c - pons_runtime_shutdown(): everything ends, wherever it
 * is, and nothing is left.
 */

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crew.h"
#include "everywhere.h"
#include "gate.h"
#include "told.h"

#include "core/atomic.h"
#include "core/runtime.h"
#include "core/self.h"
#include "core/spin.h"
#include "pons/scope.h"
#include "pons/time.h"

enum {
    FRESH = 64,   // tasks that have not started
    ROUNDS = 200, // of a race
    SPAWNS = 60,  // by each racer; who never stopped would keep shutdown busy
    WALKS = 5,    // of a shutdown over the tasks; the first come at once
};

static const char *const workers[] = {"0", "1", "2", "4"};

/* What there was before a runtime was made, and must be there again. */
struct before {
    int threads, descriptors;
};

static struct before
count_before(void)
{
    return (struct before){threads_now(), descriptors_now()};
}

static void
check_nothing_left(struct before b)
{
    threads_until(b.threads);
    CHECK_EQ(descriptors_now(), b.descriptors);
}

/* Ends the process before anybody misses what was leaked. */
static void
leave(void)
{
    (void)syscall(SYS_exit_group, 0);
}

static int64_t
join_of(struct pons_task *t)
{
    int64_t answer = 4711;

    CHECK_EQ(pons_join(t, &answer), 0);
    return answer;
}

/* How many tasks the dump says to wait. */
static int
waiting_now(struct pons_runtime *rt)
{
    char *text = dumped(rt);
    int n = 0;

    for (const char *at = text; (at = strstr(at, ": waits")) != NULL; at++)
        n++;
    free(text);
    return n;
}

/* --- tasks in every state --- */

struct zoo {
    struct pons_runtime *rt;
    struct pons_stream *pair[2], *listener;
    struct gate gate;
    struct gate_wait wait;
    struct pons_future stackless;
    uint32_t job_began, queued_ended, drops, late_result;
    struct pons_task *fiber[8], *future, *fresh[FRESH];
};

static int64_t
fiber_recv(void *arg)
{
    struct zoo *z = arg;
    char byte;

    return pons_recv(z->pair[0], &byte, 1);
}

static int64_t
fiber_accept(void *arg)
{
    struct zoo *z = arg;
    struct pons_stream *s;

    return pons_accept(z->listener, &s);
}

static int64_t
fiber_sleep(void *arg)
{
    (void)arg;
    return pons_sleep(PONS_NEVER);
}

/* Who is cancelled while joining cancels the other, and gets its answer. */
static int64_t
fiber_join(void *arg)
{
    struct pons_task *t;
    int64_t answer;

    CHECK_EQ(pons_spawn(NULL, fiber_sleep, arg, &t), 0);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK(pons_cancelled());
    return answer;
}

static int64_t
job_until_asked(void *arg)
{
    struct zoo *z = arg;

    poni_store_release(&z->job_began, 1);
    while (!pons_job_cancelled() || !poni_load_acquire(&z->queued_ended))
        (void)sched_yield();
    return 5;
}

static int64_t
fiber_blocking(void *arg)
{
    int64_t answer;
    int err = pons_blocking(job_until_asked, arg, &answer);

    return err < 0 ? err : answer;
}

/* The pool has one thread, which is busy: this job does not begin. */
static int64_t
fiber_queued(void *arg)
{
    struct zoo *z = arg;
    int err;

    while (!poni_load_acquire(&z->job_began))
        let_others_run();
    err = pons_blocking(fiber_sleep, NULL, NULL);
    poni_store_release(&z->queued_ended, 1);
    return err;
}

static int64_t
fiber_scope(void *arg)
{
    struct pons_scope s;

    pons_scope_open(&s, PONS_NEVER);
    CHECK_EQ(pons_scope_spawn(&s, fiber_sleep, arg), 0);
    CHECK_EQ(pons_scope_spawn(&s, fiber_sleep, arg), 0);
    return pons_scope_close(&s);
}

/* Never waits, only lets others run. */
static int64_t
fiber_ready(void *arg)
{
    int err;

    (void)arg;
    do
        err = pons_yield();
    while (err == 0);
    return err;
}

static int64_t
fiber_late_child(void *arg)
{
    struct zoo *z = arg;
    int err;

    CHECK(pons_cancelled());
    err = pons_sleep(PONS_NEVER);
    poni_store_release(&z->late_result, (uint32_t)-err);
    return err;
}

/* Spawns when shutdown has begun. */
static int64_t
fiber_late(void *arg)
{
    CHECK_EQ(pons_sleep(PONS_NEVER), -ECANCELED);
    CHECK_EQ(pons_spawn(NULL, fiber_late_child, arg, NULL), 0);
    return 6;
}

static enum pons_poll
stackless_poll(struct pons_future *f, struct pons_waker *w)
{
    struct zoo *z = pons_container_of(f, struct zoo, stackless);

    PONS_BEGIN(f);
    gate_wait_init(&z->wait, &z->gate);
    PONS_AWAIT(f, w, &z->wait);
    PONS_RETURN(f, z->wait.base.result);
    PONS_END(f);
}

static void
stackless_drop(struct pons_future *f)
{
    poni_add(&pons_container_of(f, struct zoo, stackless)->drops, 1);
}

static const struct pons_future_ops stackless_ops = {
    .size = sizeof stackless_ops,
    .name = "stackless",
    .poll = stackless_poll,
    .drop = stackless_drop,
};

static pons_fiber_f *const fibers[8] = {
    fiber_recv,     fiber_accept, fiber_sleep, fiber_join,
    fiber_blocking, fiber_queued, fiber_scope, fiber_late,
};

enum { WAITING = 8 + 1 + 1 + 2 }; // and future, who is joined, the scope's two

static int64_t
fill_zoo(void *arg)
{
    struct zoo *z = arg;

    stream_pair(z->pair);
    CHECK_EQ(pons_tcp_listen(&z->listener, "127.0.0.1", "0", 0), 0);
    pons_future_init(&z->stackless, &stackless_ops);
    CHECK_EQ(pons_spawn_future(z->rt, &z->stackless, &z->future), 0);
    for (int i = 0; i < 8; i++)
        CHECK_EQ(pons_spawn(z->rt, fibers[i], z, &z->fiber[i]), 0);
    while (waiting_now(z->rt) != WAITING)
        let_others_run();
    return 0;
}

static void
empty_zoo(struct zoo *z, struct pons_task *ready)
{
    static const int64_t answers[8] = {-ECANCELED, -ECANCELED, -ECANCELED,
                                       -ECANCELED, 5,          -ECANCELED,
                                       -ECANCELED, 6};

    for (int i = 0; i < 8; i++) {
        CHECK(pons_task_ended(z->fiber[i]));
        CHECK_EQ(join_of(z->fiber[i]), answers[i]);
    }
    CHECK_EQ(join_of(ready), -ECANCELED);
    CHECK_EQ(join_of(z->future), -ECANCELED);
    CHECK_EQ(z->gate.cancels, 1);
    CHECK_EQ(z->drops, 1);
    for (int i = 0; i < FRESH; i++)
        CHECK_EQ(join_of(z->fresh[i]), -ECANCELED);
    CHECK_EQ(z->late_result, ECANCELED);
    pons_stream_close(z->pair[0]);
    pons_stream_close(z->pair[1]);
    pons_stream_close(z->listener);
}

static void
shut_down_zoo(const char *reactor, const char *count)
{
    struct before before = count_before();
    struct zoo z = {.rt = runtime_with(reactor, count, "elastic:max=1")};
    struct pons_task *ready, *t = NULL;

    CHECK_EQ(pons_block_on(z.rt, fill_zoo, &z, NULL), 0);
    CHECK_EQ(pons_spawn(z.rt, fiber_ready, NULL, &ready), 0);
    for (int i = 0; i < FRESH; i++)
        CHECK_EQ(pons_spawn(z.rt, fiber_sleep, NULL, &z.fresh[i]), 0);
    CHECK_EQ(pons_runtime_shutdown(z.rt, PONS_NEVER), 0);

    CHECK_EQ(pons_spawn(z.rt, fiber_sleep, NULL, &t), -ESHUTDOWN);
    CHECK(t == NULL);
    CHECK_HAS(pons_last_error(), "shut down");
    empty_zoo(&z, ready);
    pons_runtime_unref(z.rt);
    check_nothing_left(before);
}

static void
tasks_in_every_state_end_and_nothing_is_left(void)
{
    for (const char *const *r = reactors_here(); *r != NULL; r++)
        for (int w = 0; w < 4; w++)
            shut_down_zoo(*r, workers[w]);
}

/* --- what does not end --- */

static uint32_t stuck_began, stuck_ends;

static int64_t
be_stuck(void *arg)
{
    (void)arg;
    poni_store_release(&stuck_began, 1);
    while (!poni_load_acquire(&stuck_ends))
        (void)sched_yield();
    return 0;
}

static void
until_stuck(void)
{
    while (!poni_load_acquire(&stuck_began))
        let_others_run();
}

static int64_t
fiber_names_its_job(void *arg)
{
    struct pons_blocking b;

    (void)arg;
    pons_blocking_init(&b, NULL, be_stuck, NULL);
    b.job.name = "mule";
    return pons_await(&b.base);
}

/* A runtime that was not emptied is leaked, descriptors and all. */
static struct pons_runtime *leaked;

static int64_t
body_stuck_job(void *arg)
{
    struct pons_runtime *rt = arg;

    CHECK_EQ(pons_spawn(rt, fiber_names_its_job, NULL, NULL), 0);
    until_stuck();
    while (waiting_now(rt) != 1)
        let_others_run();
    return 0;
}

static void
stuck_job(const char *count)
{
    struct before before = count_before();

    leaked = runtime_of("epoll", count);
    CHECK_EQ(pons_block_on(leaked, body_stuck_job, leaked, NULL), 0);
    CHECK_EQ(pons_runtime_shutdown(leaked, PONS_MS), 2);
    CHECK_HAS(pons_last_error(), "1 tasks and 1 jobs");
    CHECK_HAS(pons_last_error(), "running: mule, fiber born at ");
    CHECK_EQ(pons_runtime_shutdown(leaked, PONS_NEVER), 2);
    pons_runtime_unref(leaked);
    poni_store_release(&stuck_ends, 1);
    threads_until(before.threads); // the job ends, and tells nobody of ours
    leave();
}

static void
a_stuck_job_is_named_at_the_deadline(void)
{
    stuck_job("0");
}

static void
a_stuck_job_is_named_at_the_deadline_by_workers(void)
{
    stuck_job("2");
}

static void
a_stuck_task_is_counted_at_the_deadline(void)
{
    struct before before = count_before();

    leaked = runtime_of("epoll", "2");
    CHECK_EQ(pons_spawn(leaked, be_stuck, NULL, NULL), 0);
    until_stuck();
    CHECK_EQ(pons_runtime_shutdown(leaked, PONS_MS), 1);
    CHECK_HAS(pons_last_error(), "1 tasks and 0 jobs");
    pons_runtime_unref(leaked);
    poni_store_release(&stuck_ends, 1);
    threads_until(before.threads); // its worker leaves then
    leave();
}

static int64_t
fiber_waits_for_job(void *arg)
{
    int64_t answer = 0;

    CHECK_EQ(pons_blocking(be_stuck, arg, &answer), 0);
    return pons_yield() == -ECANCELED ? 5 : answer;
}

static void
left_behind(const char *count, pons_fiber_f *fn, int64_t wanted, unsigned left)
{
    struct before before = count_before();
    struct pons_task *t;

    stuck_began = stuck_ends = 0;
    leaked = runtime_of("epoll", count);
    CHECK_EQ(pons_spawn(leaked, fn, NULL, &t), 0);
    until_stuck();
    CHECK_EQ(pons_runtime_shutdown(leaked, PONS_MS), left);
    CHECK_EQ(pons_spawn(leaked, fn, NULL, NULL), -ESHUTDOWN);
    poni_store_release(&stuck_ends, 1);
    CHECK_EQ(join_of(t), wanted);
    pons_runtime_unref(leaked);
    threads_until(before.threads);
}

static int64_t
fiber_receives(void *s)
{
    char byte;

    return pons_recv(s, &byte, 1);
}

static int64_t
body_receives(void *arg)
{
    struct pons_stream **ends = arg;
    struct pons_task *t;

    CHECK_EQ(pons_spawn(NULL, fiber_receives, ends[0], &t), 0);
    stream_until(ends[0], 0, 1);
    CHECK_EQ(pons_sleep(PONS_MS), 0); // its wait gives it to the kernel
    return (intptr_t)t;
}

static int64_t
shut_down_soon(void *rt)
{
    return pons_runtime_shutdown(rt, PONS_MS);
}

static int
uring_is_here(void)
{
    for (const char *const *r = reactors_here(); *r != NULL; r++)
        if (strcmp(*r, "uring") == 0)
            return 1;
    return 0;
}

/* The engine is one thread's. */
static void
what_its_maker_alone_can_end_is_left_to_it(void)
{
    struct pons_stream *ends[2];
    struct agent other;
    int64_t t;

    if (!uring_is_here())
        SKIP("there is no io_uring");
    leaked = runtime_of("uring:owner=strict", "0");
    stream_pair(ends);
    CHECK_EQ(pons_block_on(leaked, body_receives, ends, &t), 0);
    agent_start_thread(&other, shut_down_soon, leaked);
    CHECK_EQ(agent_join(&other), 1);
    CHECK_EQ(join_of((struct pons_task *)(intptr_t)t), -ECANCELED);
    pons_runtime_unref(leaked);
    pons_stream_close(ends[0]);
    pons_stream_close(ends[1]);
    leave();
}

/* It waits for a job; so without workers, too, there is one who can wait. */
static void
what_was_left_at_the_deadline_ends_and_is_joined(void)
{
    for (int w = 0; w < 4; w++)
        left_behind(workers[w], fiber_waits_for_job, 5, 2);
    for (int w = 1; w < 4; w++)
        left_behind(workers[w], be_stuck, 0, 1);
    leave();
}

static struct pons_stream *homed[2];

static int64_t
recv_homed(void *arg)
{
    char byte = 0;

    (void)arg;
    CHECK_EQ(pons_recv(homed[0], &byte, 1), 1);
    return byte;
}

static int64_t
byte_by(struct pons_runtime *rt, const char *byte)
{
    struct pons_task *t;

    CHECK_EQ(pons_spawn(rt, recv_homed, NULL, &t), 0);
    stream_until(homed[0], 0, 1);
    CHECK_EQ(pons_send(homed[1], byte, 1), 1);
    return join_of(t);
}

static void
a_home_that_was_left_serves_nobody_when_its_tasks_have_ended(void)
{
    struct pons_runtime *other = runtime_of("epoll", "1");
    struct before before = count_before();
    struct pons_task *t;

    leaked = runtime_of("epoll", "1");
    stream_pair(homed);
    CHECK_EQ(byte_by(leaked, "x"), 'x'); // at home from now on
    CHECK_EQ(pons_spawn(leaked, fiber_waits_for_job, NULL, &t), 0);
    until_stuck();
    CHECK_EQ(pons_runtime_shutdown(leaked, PONS_MS), 2);
    poni_store_release(&stuck_ends, 1);
    CHECK_EQ(join_of(t), 5);
    threads_until(before.threads); // nobody would read what is posted there
    CHECK_EQ(byte_by(other, "y"), 'y');
    leave();
}

/* --- several shut down --- */

static struct pons_runtime *shared;
static uint32_t shutting;

static void
shut_down_together(int who)
{
    (void)who;
    poni_add(&shutting, 1);
    CHECK_EQ(pons_runtime_shutdown(shared, PONS_NEVER), 0);
    CHECK(poni_load_acquire(&stuck_ends)); // and so it waited
}

static void *
release_when_all_wait(void *arg)
{
    (void)arg;
    while (poni_load_acquire(&shutting) < 3)
        (void)sched_yield();
    for (int i = 0; i < 100; i++)
        (void)sched_yield();
    poni_store_release(&stuck_ends, 1);
    return NULL;
}

static int64_t
body_begin_stuck(void *arg)
{
    CHECK_EQ(pons_blocking_detached(arg, be_stuck, NULL, NULL), 0);
    until_stuck();
    return 0;
}

static void
concurrent_shutdowns_wait_and_answer_the_same(void)
{
    for (int w = 0; w < 4; w++) {
        struct before before = count_before();
        pthread_t thread;

        shared = runtime_of("epoll", workers[w]);
        stuck_began = stuck_ends = shutting = 0;
        CHECK_EQ(pons_block_on(shared, body_begin_stuck, shared, NULL), 0);
        CHECK_EQ(pthread_create(&thread, NULL, release_when_all_wait, NULL), 0);
        crew_run(3, shut_down_together);
        CHECK_EQ(pthread_join(thread, NULL), 0);
        CHECK_EQ(pons_runtime_shutdown(shared, 0), 0);
        pons_runtime_unref(shared);
        check_nothing_left(before);
    }
}

static void
shut_down_too_early(int who)
{
    (void)who;
    CHECK_EQ(pons_runtime_shutdown(shared, PONS_MS), 1);
    CHECK_HAS(pons_last_error(), "0 tasks and 1 jobs");
}

static void
concurrent_shutdowns_all_name_what_was_left(void)
{
    struct before before = count_before();

    shared = runtime_of("epoll", "1");
    CHECK_EQ(pons_block_on(shared, body_begin_stuck, shared, NULL), 0);
    crew_run(3, shut_down_too_early);
    pons_runtime_unref(shared);
    poni_store_release(&stuck_ends, 1);
    threads_until(before.threads);
    leave();
}

/* --- from inside --- */

static int64_t
shut_down_inside(void *arg)
{
    CHECK_EQ(pons_runtime_shutdown(arg, PONS_NEVER), -EDEADLK);
    CHECK_HAS(pons_last_error(), "wait for itself");
    return 0;
}

struct inside {
    struct pons_future base;
    struct pons_runtime *rt;
};

static enum pons_poll
inside_poll(struct pons_future *f, struct pons_waker *w)
{
    (void)w;
    f->result = shut_down_inside(pons_container_of(f, struct inside, base)->rt);
    return PONS_READY;
}

static const struct pons_future_ops inside_ops = {
    .size = sizeof inside_ops, .name = "inside", .poll = inside_poll};

/* A job whose current runtime is another's for the moment. */
static int64_t
shut_down_in_a_bridge(void *arg)
{
    struct pons_runtime *other = runtime_of("poll", "1");

    CHECK_EQ(pons_block_on(other, shut_down_inside, arg, NULL), 0);
    pons_runtime_unref(other);
    return 0;
}

static int64_t
body_inside(void *arg)
{
    struct inside inside = {.rt = arg};
    struct pons_task *t;

    CHECK_EQ(pons_spawn(NULL, shut_down_inside, arg, &t), 0);
    CHECK_EQ(join_of(t), 0);
    pons_future_init(&inside.base, &inside_ops);
    CHECK_EQ(pons_spawn_future(NULL, &inside.base, &t), 0);
    CHECK_EQ(join_of(t), 0);
    CHECK_EQ(pons_blocking(shut_down_inside, arg, NULL), 0);
    CHECK_EQ(pons_blocking(shut_down_in_a_bridge, arg, NULL), 0);
    CHECK_EQ(pons_sleep(1), 0); // it is still open
    return 0;
}

static void
from_a_task_or_a_job_it_is_edeadlk(void)
{
    for (int w = 0; w < 4; w++) {
        struct pons_runtime *rt = runtime_of("epoll", workers[w]);

        CHECK_EQ(pons_block_on(rt, body_inside, rt, NULL), 0);
        pons_runtime_unref(rt);
    }
}

static int64_t
body_shutdown_in_block_on(void *arg)
{
    struct pons_task *t;

    CHECK_EQ(pons_spawn(NULL, fiber_sleep, NULL, &t), 0);
    CHECK_EQ(pons_runtime_shutdown(arg, PONS_NEVER), 0);
    CHECK_EQ(pons_sleep(PONS_MS), 0); // there is nothing left to drive
    return join_of(t);
}

static int64_t
sleep_a_little(void *arg)
{
    (void)arg;
    return pons_sleep(PONS_MS);
}

static void
a_thread_may_shut_down_inside_its_block_on(void)
{
    for (int w = 0; w < 4; w++) {
        struct before before = count_before();
        struct pons_runtime *rt = runtime_of("epoll", workers[w]);
        int64_t answer;

        CHECK_EQ(pons_block_on(rt, body_shutdown_in_block_on, rt, &answer), 0);
        CHECK_EQ(answer, -ECANCELED);
        CHECK_EQ(pons_block_on(rt, sleep_a_little, NULL, &answer), 0);
        CHECK_EQ(answer, 0);
        pons_runtime_unref(rt);
        check_nothing_left(before);
    }
}

/* --- the last handle --- */

struct last {
    struct pons_runtime *rt;
    uint32_t gone;
};

static int64_t
give_up_last(void *arg)
{
    struct last *l = arg;

    pons_runtime_unref(l->rt);
    poni_store_release(&l->gone, 1);
    return 0;
}

static void
last_handle_of_a_task(const char *count)
{
    struct before before = count_before();
    struct last l = {.rt = runtime_of("epoll", count)};

    CHECK_EQ(pons_spawn(l.rt, give_up_last, &l, NULL), 0);
    while (!poni_load_acquire(&l.gone))
        let_others_run(); // without workers these waits drive it
    check_nothing_left(before);
}

static void
last_handle_of_a_job(const char *count, const char *pool)
{
    struct before before = count_before();
    struct last l = {.rt = runtime_with_pool(count, pool)};

    CHECK_EQ(pons_blocking_detached(l.rt, give_up_last, &l, NULL), 0);
    while (!poni_load_acquire(&l.gone))
        (void)sched_yield();
    threads_until(before.threads);
    CHECK_EQ(pons_sleep(1), 0); // lets go of the memory of what it made
    check_nothing_left(before);
}

static void
the_last_handle_may_go_inside_a_task_or_a_job(void)
{
    for (int w = 0; w < 4; w++) {
        last_handle_of_a_task(workers[w]);
        last_handle_of_a_job(workers[w], "elastic");
        last_handle_of_a_job(workers[w], "inline");
    }
}

static int64_t
body_gives_up_last(void *last)
{
    struct pons_task *t;

    CHECK_EQ(pons_spawn(NULL, give_up_last, last, &t), 0);
    return join_of(t);
}

/* A task of another runtime, on the job's thread: the job still waits. */
static int64_t
job_drives_who_gives_up(void *last)
{
    struct pons_runtime *driven = runtime_of("epoll", "0");

    CHECK_EQ(pons_block_on(driven, body_gives_up_last, last, NULL), 0);
    pons_runtime_unref(driven);
    return 0;
}

static void
the_last_handle_may_go_in_a_task_that_a_job_drives(void)
{
    struct before before = count_before();
    struct last l = {.rt = runtime_of("epoll", "1")};

    CHECK_EQ(pons_blocking_detached(l.rt, job_drives_who_gives_up, &l, NULL),
             0);
    while (!poni_load_acquire(&l.gone))
        (void)sched_yield();
    check_nothing_left(before);
}

/* Who waits for a task's end by a waker of its own, and then lets go of all. */
struct last_waker {
    struct last last;
    struct pons_join join;
};

static void
last_waker_nothing(void *data)
{
    (void)data;
}

static void
last_waker_wake(void *data)
{
    struct last_waker *l = data;
    struct pons_waker none = {NULL, NULL};

    CHECK_EQ(pons_future_poll(&l->join.base, &none), PONS_READY);
    (void)give_up_last(&l->last);
}

static const struct pons_waker_ops last_waker_ops = {
    .size = sizeof last_waker_ops,
    .clone = last_waker_nothing,
    .wake = last_waker_wake,
    .notify = last_waker_nothing,
    .release = last_waker_nothing,
};

static int64_t
fiber_at_gate(void *gate)
{
    return gate_await(gate);
}

static void
the_last_handle_may_go_in_a_waker_that_a_worker_calls(void)
{
    struct before before = count_before();
    struct last_waker l = {.last.rt = runtime_of("epoll", "1")};
    struct pons_waker w = {&last_waker_ops, &l};
    struct gate gate = {0};
    struct pons_task *t;

    CHECK_EQ(pons_spawn(l.last.rt, fiber_at_gate, &gate, &t), 0);
    gate_until_awaited(&gate);
    pons_join_init(&l.join, t);
    CHECK_EQ(pons_future_poll(&l.join.base, &w), PONS_PENDING);
    gate_open(&gate);
    while (!poni_load_acquire(&l.last.gone))
        (void)sched_yield();
    check_nothing_left(before);
}

/* As a thread does between giving up a task's last reference and its return of
 * the task to its slab. */
static void
a_slab_stays_until_each_task_is_back(void)
{
    struct pons_runtime *rt = runtime_of("epoll", "1");
    struct poni_slab *slab = &rt->slab;
    struct pons_task *t;

    CHECK_EQ(pons_runtime_shutdown(rt, PONS_NEVER), 0);
    t = poni_slab_pop(slab);
    CHECK(t != NULL);
    pons_runtime_unref(rt);
    poni_slab_push(NULL, t);
    CHECK(poni_load_acquire(&slab->returned) == t);
    leave();
}

/* --- spawns from other threads meanwhile --- */

struct drop_me {
    struct pons_future base;
    uint32_t *dropped;
};

static enum pons_poll
drop_me_poll(struct pons_future *f, struct pons_waker *w)
{
    (void)w;
    f->result = 3;
    return PONS_READY;
}

static void
drop_me_drop(struct pons_future *f)
{
    struct drop_me *d = pons_container_of(f, struct drop_me, base);

    poni_add(d->dropped, 1);
    free(d);
}

static const struct pons_future_ops drop_me_ops = {
    .size = sizeof drop_me_ops,
    .name = "drop_me",
    .poll = drop_me_poll,
    .drop = drop_me_drop,
};

static uint32_t made, dropped, running;

static int
spawn_drop_me(struct pons_task **task)
{
    struct drop_me *d = calloc(1, sizeof *d);
    int err;

    CHECK(d != NULL);
    d->dropped = &dropped;
    poni_add(&made, 1);
    pons_future_init(&d->base, &drop_me_ops);
    err = pons_spawn_future(shared, &d->base, task);
    CHECK(err == 0 || err == -ESHUTDOWN);
    return err;
}

static int64_t
answer_9(void *arg)
{
    (void)arg;
    return 9;
}

static void
spawn_until_shut_down(void)
{
    struct pons_task *t = NULL;
    int err;

    for (int i = 0; i < SPAWNS; i++) {
        if (i == 2)
            poni_add(&running, 1);
        if (spawn_drop_me(NULL) < 0 || spawn_drop_me(&t) < 0)
            break;
        CHECK_EQ(join_of(t), 3);
        err = pons_spawn(shared, answer_9, NULL, &t);
        CHECK(err == 0 || err == -ESHUTDOWN);
        if (err < 0)
            break;
        CHECK_EQ(join_of(t), 9);
    }
}

/* The maker of a runtime without workers drives it until it shuts it down. */
static void
spawn_or_shut_down(int who)
{
    if (who > 0) {
        spawn_until_shut_down();
        return;
    }
    while (poni_load_acquire(&running) < 3)
        let_others_run();
    CHECK_EQ(pons_runtime_shutdown(shared, PONS_NEVER), 0);
}

static void *
crew_of_one(void *arg)
{
    (void)arg;
    spawn_until_shut_down();
    return NULL;
}

static void
race_once(const char *count)
{
    pthread_t threads[3];

    shared = runtime_of("epoll", count);
    made = dropped = running = 0;
    for (int i = 0; i < 3; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, crew_of_one, NULL), 0);
    spawn_or_shut_down(0);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK_EQ(dropped, made);
    pons_runtime_unref(shared);
}

static void
racing_spawns_are_refused_or_end(void)
{
    for (int i = 0; i < ROUNDS; i++)
        race_once(workers[i % 4]);
}

/* --- spawns inside meanwhile --- */

/* Each task that it makes waits for ever, unless it is cancelled. */
static int64_t
spawn_sleepers(void *arg)
{
    (void)arg;
    while (pons_yield() == 0) {
        CHECK_EQ(pons_spawn(NULL, fiber_sleep, NULL, NULL), 0);
        poni_store_release(&running, 1);
    }
    return 0;
}

static void
births_at_the_beginning_of_a_shutdown_end(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct pons_runtime *rt = runtime_of("epoll", workers[1 + i % 3]);

        running = 0;
        CHECK_EQ(pons_spawn(rt, spawn_sleepers, NULL, NULL), 0);
        while (!poni_load_acquire(&running))
            poni_pause();
        CHECK_EQ(pons_runtime_shutdown(rt, PONS_NEVER), 0);
        pons_runtime_unref(rt);
    }
}

/* --- walks --- */

/* As one that a walk did not find: it was just being born. */
static void
be_overlooked(void)
{
    __atomic_fetch_and(&poni_self_now()->task->word, ~(uint32_t)TASK_CANCELLED,
                       __ATOMIC_ACQ_REL);
}

static int64_t
sleep_overlooked(void *arg)
{
    for (int i = 0; i < WALKS; i++) {
        CHECK_EQ(pons_sleep(PONS_NEVER), -ECANCELED);
        be_overlooked();
    }
    poni_add((uint32_t *)arg, 1);
    return 0;
}

/* Keeps those awake who wait for ends. */
static int64_t
spawn_overlooked(void *arg)
{
    struct pons_task *t;

    for (int i = 0; i < WALKS; i++) {
        while (!pons_cancelled()) {
            CHECK_EQ(pons_spawn(NULL, answer_9, NULL, &t), 0);
            (void)join_of(t);
        }
        be_overlooked();
    }
    poni_add((uint32_t *)arg, 1);
    return 0;
}

static void
shutdown_walks_again_however_many_end(void)
{
    for (int w = 1; w < 4; w++) {
        struct pons_runtime *rt = runtime_of("epoll", workers[w]);
        uint32_t ended = 0;

        CHECK_EQ(pons_spawn(rt, spawn_overlooked, &ended, NULL), 0);
        CHECK_EQ(pons_spawn(rt, sleep_overlooked, &ended, NULL), 0);
        CHECK_EQ(pons_runtime_shutdown(rt, PONS_NEVER), 0);
        CHECK_EQ(ended, 2);
        pons_runtime_unref(rt);
    }
}

static uint32_t main_ended;

static int
main_leaves_overlooked(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    CHECK_EQ(pons_spawn(NULL, spawn_overlooked, &main_ended, NULL), 0);
    CHECK_EQ(pons_spawn(NULL, sleep_overlooked, &main_ended, NULL), 0);
    return 3;
}

static void
the_main_thread_walks_again_while_it_works(void)
{
    CHECK_EQ(setenv("PONS_WORKERS", "2", 1), 0);
    CHECK_EQ(pons_main(main_leaves_overlooked, 0, NULL), 3);
    CHECK_EQ(main_ended, 2);
}

/* --- without workers, by another thread --- */

static void *
shut_down_shared(void *arg)
{
    (void)arg;
    CHECK_EQ(pons_runtime_shutdown(shared, PONS_NEVER), 0);
    return NULL;
}

static void
another_thread_may_shut_down_what_has_no_workers(void)
{
    struct before before = count_before();
    struct pons_task *t;
    pthread_t thread;

    shared = runtime_of("epoll", "0");
    CHECK_EQ(pons_spawn(shared, fiber_sleep, NULL, &t), 0);
    CHECK_EQ(pthread_create(&thread, NULL, shut_down_shared, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(join_of(t), -ECANCELED);
    pons_runtime_unref(shared);
    check_nothing_left(before);
}

/* The maker waits for what only the shutdown will end. */
static int64_t
body_shut_down_by_another(void *arg)
{
    struct pons_task *t;
    int64_t answer;

    CHECK_EQ(pons_spawn(NULL, fiber_sleep, NULL, &t), 0);
    while (waiting_now(shared) != 1)
        let_others_run();
    CHECK_EQ(pthread_create(arg, NULL, shut_down_shared, NULL), 0);
    answer = join_of(t);
    return answer;
}

static void
a_maker_inside_block_on_is_not_waited_for_in_vain(void)
{
    for (int w = 0; w < 4; w++) {
        struct before before = count_before();
        pthread_t thread;
        int64_t answer;

        shared = runtime_of("epoll", workers[w]);
        CHECK_EQ(
            pons_block_on(shared, body_shut_down_by_another, &thread, &answer),
            0);
        CHECK_EQ(answer, -ECANCELED);
        CHECK_EQ(pthread_join(thread, NULL), 0);
        pons_runtime_unref(shared);
        check_nothing_left(before);
    }
}

static void *
shut_down_in_vain(void *arg)
{
    (void)arg;
    CHECK_EQ(pons_runtime_shutdown(shared, PONS_MS), 1);
    poni_store_release(&stuck_ends, 1);
    return NULL;
}

static int64_t
body_does_not_drive(void *arg)
{
    CHECK_EQ(pons_spawn(NULL, fiber_sleep, NULL, NULL), 0);
    CHECK_EQ(pthread_create(arg, NULL, shut_down_in_vain, NULL), 0);
    return be_stuck(NULL);
}

/* The maker's thread is busy with other things and lets nobody have its seat.
 */
static void
a_maker_that_does_not_wait_is_given_up_at_the_deadline(void)
{
    pthread_t thread;

    shared = runtime_of("epoll", "0");
    CHECK_EQ(pons_block_on(shared, body_does_not_drive, &thread, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    pons_runtime_unref(shared);
    leave();
}

static int64_t
masked_at_gate(void *gate)
{
    struct pons_mask m;
    int64_t answer;

    pons_mask_open(&m, PONS_NEVER);
    answer = gate_await(gate);
    pons_mask_close(&m);
    return answer == 0 ? 8 : answer;
}

static void *
shut_down_and_open(void *gate)
{
    CHECK_EQ(pons_runtime_shutdown(shared, 20 * PONS_MS), 1);
    gate_open(gate);
    return NULL;
}

/* A task that a shutdown by `thread` is going to leave, or has left. */
static struct pons_task *
left_by(pthread_t *thread, struct gate *gate)
{
    struct pons_task *t;

    CHECK_EQ(pons_spawn(shared, masked_at_gate, gate, &t), 0);
    gate_until_awaited(gate);
    CHECK_EQ(pthread_create(thread, NULL, shut_down_and_open, gate), 0);
    while (poni_load_acquire(&shared->phase) == RUNTIME_OPEN)
        (void)sched_yield();
    return t;
}

static void
a_maker_that_begins_to_wait_meanwhile_drives_what_was_left(void)
{
    struct gate gate = {0};
    struct pons_task *t;
    pthread_t thread;

    shared = runtime_of("epoll", "0");
    t = left_by(&thread, &gate);
    CHECK_EQ(join_of(t), 8);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    pons_runtime_unref(shared);
    leave();
}

static const struct pons_reactor_ops *bound_real;
static pthread_t bound_to;
static int binds;

static int
bound_bind(struct pons_reactor *r)
{
    bound_to = pthread_self();
    binds++;
    return bound_real->bind(r);
}

static int64_t
join_for_body(void *t)
{
    return join_of(t);
}

/* `fn` is called with what another's shutdown has left. */
static void
bind_for(int64_t (*fn)(struct pons_task *t))
{
    struct gate gate = {0};
    struct pons_reactor *reactor;
    struct pons_reactor_ops ops;
    struct pons_task *t;
    pthread_t thread;

    shared = runtime_of("epoll", "0");
    reactor = shared->seats[0].reactor;
    bound_real = reactor->ops;
    ops = *bound_real;
    ops.bind = bound_bind;
    reactor->ops = &ops;
    binds = 0;
    t = left_by(&thread, &gate);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK(!pthread_equal(bound_to, pthread_self()));
    CHECK_EQ(fn(t), 8);
    CHECK(pthread_equal(bound_to, pthread_self()));
    CHECK_EQ(binds, 2);
    reactor->ops = bound_real;
    pons_runtime_unref(shared);
}

static int64_t
join_in_block_on(struct pons_task *t)
{
    int64_t answer = 0;

    CHECK_EQ(pons_block_on(shared, join_for_body, t, &answer), 0);
    return answer;
}

static void
the_reactor_of_a_seat_is_bound_to_who_sits_there(void)
{
    bind_for(join_of);
    bind_for(join_in_block_on);
    leave();
}

/* --- of one runtime, by the task of another --- */

static int64_t
body_shut_down_another(void *arg)
{
    struct pons_runtime *mine = pons_runtime_current();
    const struct poni_seat *seat = poni_self_now()->seat;
    struct pons_runtime *other = runtime_of("epoll", arg);
    struct pons_stream *pair[2];
    struct pons_task *t;
    char byte = 0;

    CHECK_EQ(pons_spawn(other, fiber_sleep, NULL, &t), 0);
    CHECK_EQ(pons_runtime_shutdown(other, PONS_NEVER), 0);
    CHECK_EQ(join_of(t), -ECANCELED);
    pons_runtime_unref(other);
    CHECK(pons_runtime_current() == mine);
    CHECK(poni_self_now()->seat == seat);
    CHECK_EQ(pons_spawn(NULL, answer_9, NULL, &t), 0);
    CHECK_EQ(join_of(t), 9); // this task's own waits let its worker go on
    stream_pair(pair);
    CHECK_EQ(pons_send(pair[0], "x", 1), 1);
    CHECK_EQ(pons_recv(pair[1], &byte, 1), 1);
    pons_stream_close(pair[0]);
    pons_stream_close(pair[1]);
    return 7;
}

static void
a_task_may_shut_down_another_runtime(void)
{
    for (int mine = 0; mine < 3; mine++)
        for (int its = 0; its < 3; its++) {
            struct before before = count_before();
            struct pons_runtime *rt = runtime_of("epoll", workers[mine]);
            char count[2];
            struct pons_task *t;

            strcpy(count, workers[its]);
            CHECK_EQ(pons_spawn(rt, body_shut_down_another, count, &t), 0);
            CHECK_EQ(join_of(t), 7);
            pons_runtime_unref(rt);
            check_nothing_left(before);
        }
}

static const struct unit_test tests[] = {
    {"tasks_in_every_state_end_and_nothing_is_left",
     tasks_in_every_state_end_and_nothing_is_left},
    {"a_stuck_job_is_named_at_the_deadline",
     a_stuck_job_is_named_at_the_deadline},
    {"a_stuck_job_is_named_at_the_deadline_by_workers",
     a_stuck_job_is_named_at_the_deadline_by_workers},
    {"a_stuck_task_is_counted_at_the_deadline",
     a_stuck_task_is_counted_at_the_deadline},
    {"what_its_maker_alone_can_end_is_left_to_it",
     what_its_maker_alone_can_end_is_left_to_it},
    {"what_was_left_at_the_deadline_ends_and_is_joined",
     what_was_left_at_the_deadline_ends_and_is_joined},
    {"a_home_that_was_left_serves_nobody_when_its_tasks_have_ended",
     a_home_that_was_left_serves_nobody_when_its_tasks_have_ended},
    {"concurrent_shutdowns_wait_and_answer_the_same",
     concurrent_shutdowns_wait_and_answer_the_same},
    {"concurrent_shutdowns_all_name_what_was_left",
     concurrent_shutdowns_all_name_what_was_left},
    {"from_a_task_or_a_job_it_is_edeadlk", from_a_task_or_a_job_it_is_edeadlk},
    {"a_thread_may_shut_down_inside_its_block_on",
     a_thread_may_shut_down_inside_its_block_on},
    {"the_last_handle_may_go_inside_a_task_or_a_job",
     the_last_handle_may_go_inside_a_task_or_a_job},
    {"the_last_handle_may_go_in_a_task_that_a_job_drives",
     the_last_handle_may_go_in_a_task_that_a_job_drives},
    {"the_last_handle_may_go_in_a_waker_that_a_worker_calls",
     the_last_handle_may_go_in_a_waker_that_a_worker_calls},
    {"a_slab_stays_until_each_task_is_back",
     a_slab_stays_until_each_task_is_back},
    {"racing_spawns_are_refused_or_end", racing_spawns_are_refused_or_end},
    {"births_at_the_beginning_of_a_shutdown_end",
     births_at_the_beginning_of_a_shutdown_end},
    {"shutdown_walks_again_however_many_end",
     shutdown_walks_again_however_many_end},
    {"the_main_thread_walks_again_while_it_works",
     the_main_thread_walks_again_while_it_works},
    {"another_thread_may_shut_down_what_has_no_workers",
     another_thread_may_shut_down_what_has_no_workers},
    {"a_maker_inside_block_on_is_not_waited_for_in_vain",
     a_maker_inside_block_on_is_not_waited_for_in_vain},
    {"a_maker_that_does_not_wait_is_given_up_at_the_deadline",
     a_maker_that_does_not_wait_is_given_up_at_the_deadline},
    {"a_maker_that_begins_to_wait_meanwhile_drives_what_was_left",
     a_maker_that_begins_to_wait_meanwhile_drives_what_was_left},
    {"the_reactor_of_a_seat_is_bound_to_who_sits_there",
     the_reactor_of_a_seat_is_bound_to_who_sits_there},
    {"a_task_may_shut_down_another_runtime",
     a_task_may_shut_down_another_runtime},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("shutdown", tests, argc, argv);
}
