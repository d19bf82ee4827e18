/* SPDX-License-Identifier: MIT */
/*
 * tests/block_on_test.c - pons_block_on(): synchronous code calls code that
 * waits, from every kind of thread.
 */

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "everywhere.h"
#include "pons/time.h"

enum {
    CROWD = 12,  // threads that block on one runtime
    TURNS = 200, // of two tasks
};

struct said {
    struct pons_runtime *current;
    pthread_t thread;
    int64_t answer;
};

static int64_t
looks(void *arg)
{
    struct said *s = arg;

    s->current = pons_runtime_current();
    s->thread = pthread_self();
    return s->answer;
}

static int64_t
block(struct pons_runtime *rt, pons_fiber_f *fn, void *arg)
{
    int64_t answer = -1;

    CHECK_EQ(pons_block_on(rt, fn, arg, &answer), 0);
    return answer;
}

static int64_t
add_one(void *n)
{
    return *(int64_t *)n + 1;
}

/* Spawns, so it needs the current runtime; waits, so somebody must run. */
static int64_t
adds_by_a_task(void *n)
{
    struct pons_task *t;
    int64_t answer;

    CHECK_EQ(pons_spawn(NULL, add_one, n, &t), 0);
    CHECK_EQ(pons_join(t, &answer), 0);
    return answer;
}

static void
each_workers(void (*test)(struct pons_runtime *rt))
{
    static const char *const workers[] = {"0", "1", "2"};

    for (int i = 0; i < 3; i++) {
        struct pons_runtime *rt = runtime_of("epoll", workers[i]);

        test(rt);
        pons_runtime_unref(rt);
    }
}

/* --- what it is --- */

static void
looks_on(struct pons_runtime *rt)
{
    struct said s = {.answer = 42};

    CHECK(pons_runtime_current() == NULL);
    CHECK_EQ(block(rt, looks, &s), 42);
    CHECK(s.current == rt);
    CHECK(pthread_equal(s.thread, pthread_self()));
    CHECK(pons_runtime_current() == NULL);
    CHECK_EQ(pons_block_on(rt, looks, &s, NULL), 0); // nobody asks
}

static void
function_runs_here_with_the_runtime_current(void)
{
    struct said s = {.answer = -7};

    each_workers(looks_on);
    CHECK_EQ(block(NULL, looks, &s), -7);
    CHECK(s.current == NULL);
}

static void
adds_on(struct pons_runtime *rt)
{
    int64_t one = 1;

    CHECK_EQ(block(rt, adds_by_a_task, &one), 2);
}

static void
tasks_run_while_it_waits(void)
{
    each_workers(adds_on);
}

static void
without_a_runtime_nothing_can_be_spawned(void)
{
    struct pons_task *t;

    CHECK_EQ(pons_spawn(NULL, add_one, NULL, &t), -EINVAL);
}

/* --- one inside another --- */

struct nest {
    struct pons_runtime *outer, *inner;
    int depth;
};

static int64_t
nests(void *arg)
{
    struct nest *n = arg;
    int64_t one = 1;

    CHECK(pons_runtime_current() == n->outer);
    CHECK_EQ(block(n->inner, adds_by_a_task, &one), 2);
    CHECK(pons_runtime_current() == n->outer);
    CHECK_EQ(block(NULL, add_one, &one), 2);
    if (n->depth-- > 0)
        CHECK_EQ(block(n->outer, nests, n), 0);
    CHECK(pons_runtime_current() == n->outer);
    return adds_by_a_task(&one) - 2;
}

static void
nests_on(struct pons_runtime *rt)
{
    struct nest n = {rt, rt, 3};

    CHECK_EQ(block(rt, nests, &n), 0);
}

static void
it_nests(void)
{
    static const char *const workers[] = {"0", "1"};

    each_workers(nests_on);
    for (int i = 0; i < 4; i++) {
        struct nest n = {runtime_of("epoll", workers[i & 1]),
                         runtime_of("poll", workers[i >> 1]), 2};

        CHECK_EQ(block(n.outer, nests, &n), 0);
        pons_runtime_unref(n.outer);
        pons_runtime_unref(n.inner);
    }
}

static int64_t
fiber_blocks(void *arg)
{
    struct said s = {.answer = 3};
    int64_t one = 1;

    CHECK_EQ(block(arg, looks, &s), 3);
    CHECK(s.current == arg);
    CHECK_EQ(block(arg, adds_by_a_task, &one), 2); // the fiber waits
    return 0;
}

static int64_t
job_blocks(void *arg)
{
    int64_t one = 1;

    CHECK(pons_runtime_current() == arg);
    CHECK_EQ(adds_by_a_task(&one), 2);
    CHECK_EQ(block(arg, adds_by_a_task, &one), 2);
    return 5;
}

static int64_t
fiber_and_job(void *rt)
{
    struct pons_task *t;
    int64_t answer;

    CHECK_EQ(pons_spawn(NULL, fiber_blocks, rt, &t), 0);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(answer, 0);
    CHECK_EQ(pons_blocking(job_blocks, rt, &answer), 0);
    CHECK_EQ(answer, 5);
    return 0;
}

static void
inside_on(struct pons_runtime *rt)
{
    CHECK_EQ(block(rt, fiber_and_job, rt), 0);
}

static void
it_works_inside_a_fiber_and_a_job(void)
{
    each_workers(inside_on);
}

/* --- inside poll() --- */

struct polls {
    struct pons_future base;
    struct pons_runtime *rt;
};

static enum pons_poll
polls_poll(struct pons_future *f, struct pons_waker *w)
{
    struct polls *p = pons_container_of(f, struct polls, base);
    struct pons_yield y;
    int64_t answer;

    (void)w;
    pons_yield_init(&y);
    CHECK_EQ(pons_block_on(p->rt, add_one, NULL, &answer), -EDEADLK);
    CHECK_EQ(pons_block_on(NULL, add_one, NULL, &answer), -EDEADLK);
    CHECK_EQ(pons_block_on_future(p->rt, &y.base, &answer), -EDEADLK);
    CHECK_EQ(pons_await(&y.base), -EDEADLK);
    CHECK_EQ(pons_blocking(add_one, NULL, &answer), -EDEADLK);
    CHECK_EQ(pons_sleep(0), -EDEADLK);
    CHECK_EQ(pons_yield(), -EDEADLK);
    CHECK_EQ(pons_timeout(0, add_one, NULL, NULL), -EDEADLK);
    f->result = 9;
    return PONS_READY;
}

static const struct pons_future_ops polls_ops = {
    .size = sizeof polls_ops, .name = "polls", .poll = polls_poll};

static void
deadlk_on(struct pons_runtime *rt)
{
    struct pons_task *t;
    struct polls p;
    int64_t answer;

    p.rt = rt;
    pons_future_init(&p.base, &polls_ops);
    CHECK_EQ(pons_block_on_future(rt, &p.base, &answer), 0);
    CHECK_EQ(answer, 9);
    pons_future_init(&p.base, &polls_ops);
    CHECK_EQ(pons_spawn_future(rt, &p.base, &t), 0);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(answer, 9);
}

static void
p1_inside_poll_it_is_refused(void)
{
    each_workers(deadlk_on);
}

/* --- without workers --- */

static int64_t
counts_turns(void *arg)
{
    for (int i = 0; i < TURNS; i++) {
        __atomic_fetch_add((int *)arg, 1, __ATOMIC_RELAXED);
        CHECK_EQ(pons_yield(), 0);
    }
    return 0;
}

/* Two runtimes that this thread drives: the waits inside block_on of one drive
 * that one, and the other stands still meanwhile. */
static int64_t
joins(void *task)
{
    return pons_join(task, NULL);
}

static void
two_runtimes_without_workers_share_a_thread(void)
{
    struct pons_runtime *a = runtime_of("epoll", "0");
    struct pons_runtime *b = runtime_of("poll", "0");
    struct pons_task *ta, *tb;
    int turns_a = 0, turns_b = 0;

    CHECK_EQ(pons_spawn(a, counts_turns, &turns_a, &ta), 0);
    CHECK_EQ(pons_spawn(b, counts_turns, &turns_b, &tb), 0);
    CHECK_EQ(turns_a + turns_b, 0);
    CHECK_EQ(block(b, joins, tb), 0);
    CHECK_EQ(turns_b, TURNS);
    CHECK_EQ(turns_a, 0);
    CHECK_EQ(block(a, joins, ta), 0);
    CHECK_EQ(turns_a, TURNS);
    pons_runtime_unref(a);
    pons_runtime_unref(b);
}

struct other {
    struct pons_runtime *rt;
    struct pons_stream *s[2];
    struct pons_task *task;
    int spawned, ran;
};

/* In one turn, whatever the reactor. */
static int64_t
runs(void *arg)
{
    struct other *o = arg;

    __atomic_store_n(&o->ran, 1, __ATOMIC_RELEASE);
    CHECK_EQ(write(pons_stream_fd(o->s[1]), "x", 1), 1);
    return 6;
}

static int64_t
spawns_from_elsewhere(void *arg)
{
    struct other *o = arg;
    int64_t answer;

    CHECK_EQ(pons_spawn(o->rt, runs, o, &o->task), 0);
    __atomic_store_n(&o->spawned, 1, __ATOMIC_RELEASE);
    CHECK_EQ(pons_join(o->task, &answer), 0); // until the maker waits
    return answer;
}

static int64_t
waits_for_a_byte(void *arg)
{
    struct other *o = arg;
    char byte;

    return pons_recv(o->s[0], &byte, 1);
}

static void
without_workers_tasks_of_others_wait_for_the_maker(void)
{
    struct other o = {.rt = runtime_of("epoll", "0")};
    struct agent a;

    stream_pair(o.s);
    agent_start_thread(&a, spawns_from_elsewhere, &o);
    while (!__atomic_load_n(&o.spawned, __ATOMIC_ACQUIRE))
        (void)sched_yield();
    CHECK_EQ(__atomic_load_n(&o.ran, __ATOMIC_ACQUIRE), 0);
    CHECK_EQ(block(o.rt, waits_for_a_byte, &o), 1);
    CHECK_EQ(o.ran, 1);
    CHECK_EQ(agent_join(&a), 6);
    pons_stream_close(o.s[0]);
    pons_stream_close(o.s[1]);
    pons_runtime_unref(o.rt);
}

/* --- many at once --- */

struct member {
    struct pons_runtime *rt;
    struct pons_stream *s[2];
};

static int64_t
echoes_one(void *arg)
{
    struct member *m = arg;
    char byte;

    CHECK_EQ(pons_recv(m->s[1], &byte, 1), 1);
    CHECK_EQ(pons_send(m->s[1], &byte, 1), 1);
    return 0;
}

static int64_t
asks_an_echo(void *arg)
{
    struct member *m = arg;
    struct pons_task *t;
    char byte = 0;

    for (int i = 0; i < TURNS / 4; i++) {
        CHECK_EQ(pons_spawn(NULL, echoes_one, m, &t), 0);
        CHECK_EQ(pons_send(m->s[0], &(char){(char)i}, 1), 1);
        CHECK_EQ(pons_recv(m->s[0], &byte, 1), 1);
        CHECK_EQ(byte, (char)i);
        CHECK_EQ(pons_join(t, NULL), 0);
    }
    return 1;
}

static int64_t
blocks_in_a_crowd(void *arg)
{
    struct member *m = arg;

    return block(m->rt, asks_an_echo, m);
}

static void
many_threads_block_on_one_runtime(void)
{
    struct pons_runtime *rt = runtime_of("epoll", "2");
    struct member m[CROWD];
    struct agent a[CROWD];

    for (int i = 0; i < CROWD; i++) {
        m[i].rt = rt;
        stream_pair(m[i].s);
        agent_start_thread(&a[i], blocks_in_a_crowd, &m[i]);
    }
    for (int i = 0; i < CROWD; i++) {
        CHECK_EQ(agent_join(&a[i]), 1);
        pons_stream_close(m[i].s[0]);
        pons_stream_close(m[i].s[1]);
    }
    pons_runtime_unref(rt);
}

/* --- deadlines outside --- */

static int64_t
sleeps_for_ever(void *arg)
{
    (void)arg;
    return pons_sleep_until(PONS_NEVER);
}

static int64_t
blocks_and_sleeps(void *rt)
{
    return block(rt, sleeps_for_ever, NULL);
}

static void
deadline_on(struct pons_runtime *rt)
{
    CHECK_EQ(pons_timeout(pons_after_ms(1), blocks_and_sleeps, rt, NULL),
             -ETIME);
}

static void
deadline_outside_counts_inside(void)
{
    each_workers(deadline_on);
    CHECK_EQ(pons_timeout(pons_after_ms(1), blocks_and_sleeps, NULL, NULL),
             -ETIME);
}

static const struct unit_test tests[] = {
#define T(name)     \
    {               \
#name, name \
    }
    T(function_runs_here_with_the_runtime_current),
    T(tasks_run_while_it_waits),
    T(without_a_runtime_nothing_can_be_spawned),
    T(it_nests),
    T(it_works_inside_a_fiber_and_a_job),
    T(p1_inside_poll_it_is_refused),
    T(two_runtimes_without_workers_share_a_thread),
    T(without_workers_tasks_of_others_wait_for_the_maker),
    T(many_threads_block_on_one_runtime),
    T(deadline_outside_counts_inside),
#undef T
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("block_on", tests, argc, argv);
}
