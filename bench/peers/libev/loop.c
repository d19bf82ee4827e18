/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/libev/loop.c - tasks that take turns, and wakes from outside.
 *
 * libev has no tasks. What comes nearest to one that yields is an idle watcher,
 * called once per turn of the loop; a wake from anywhere is ev_async_send(), so
 * two that wake each other are two loops, each with its thread.
 */

#include "libev.h"

/* --- yield --- */

struct yielder {
    ev_idle idle; // first: the callback's watcher is the yielder
    uint64_t left;
};

static void
yielder_turn(struct ev_loop *loop, ev_idle *w, int events)
{
    struct yielder *y = (struct yielder *)w;

    (void)events;
    if (--y->left == 0)
        ev_idle_stop(loop, w);
}

static void
yield_run(struct bench_run *r)
{
    uint64_t yields = bench_ops(r, YIELDS);
    struct ev_loop *loop = loop_new();
    struct yielder tasks[TASKS];

    bench_start(r);
    for (int i = 0; i < TASKS; i++) {
        tasks[i].left = yields;
        ev_idle_init(&tasks[i].idle, yielder_turn);
        ev_idle_start(loop, &tasks[i].idle);
    }
    ev_run(loop, 0);
    bench_stop(r, TASKS * yields);
    ev_loop_destroy(loop);
}

static const struct bench_case yield_cases[] = {
    {.name = "stackless", .run = yield_run},
    {0},
};

const struct bench_workload libev_yield = {
    .name = "yield",
    .subject = "libev",
    .measures = "going from one ready task to the next",
    .how = "1000 idle watchers are called 1000 times each",
    .silent = "what a task costs that keeps its place in a function",
    .cases = yield_cases,
};

/* --- ping_pong --- */

struct player {
    ev_async ball; // first: the callback's watcher is the player
    struct ev_loop *loop;
    struct player *other;
    uint64_t left; // balls to come
};

static void
player_catch(struct ev_loop *loop, ev_async *w, int events)
{
    struct player *p = (struct player *)w;

    (void)events;
    p->left--;
    ev_async_send(p->other->loop, &p->other->ball);
    if (p->left == 0)
        ev_break(loop, EVBREAK_ALL);
}

static void
player_open(struct player *p, struct player *other, uint64_t balls)
{
    p->other = other;
    p->left = balls;
    p->loop = loop_new();
    ev_async_init(&p->ball, player_catch);
    ev_async_start(p->loop, &p->ball);
}

static void *
player_play(void *arg)
{
    struct player *p = arg;

    ev_run(p->loop, 0);
    return NULL;
}

static void
ping_pong_run(struct bench_run *r)
{
    uint64_t balls = bench_ops(r, BALLS);
    struct player a, b;
    pthread_t thread;

    player_open(&a, &b, balls);
    player_open(&b, &a, balls);
    bench_start(r);
    bench_must(pthread_create(&thread, NULL, player_play, &b) == 0, "thread");
    ev_async_send(a.loop, &a.ball);
    player_play(&a);
    pthread_join(thread, NULL);
    bench_stop(r, balls);
    ev_loop_destroy(a.loop);
    ev_loop_destroy(b.loop);
}

static const struct bench_case ping_pong_cases[] = {
    {.name = "tasks", .run = ping_pong_run},
    {0},
};

const struct bench_workload libev_ping_pong = {
    .name = "ping_pong",
    .subject = "libev",
    .measures = "waking one that waits and being woken by it: there and back",
    .how = "two loops on two threads, an ev_async_send() to each other in turn",
    .silent = "two within one loop: there one calls the other",
    .cases = ping_pong_cases,
};

/* --- wake_cross --- */

struct woken {
    ev_async async; // first: the callback's watcher is the woken
    struct ev_loop *loop;
    struct crossing crossing;
};

static void
cross_wake(void *arg)
{
    struct woken *w = arg;

    ev_async_send(w->loop, &w->async);
}

static void
cross_woken(struct ev_loop *loop, ev_async *w, int events)
{
    (void)events;
    if (crossing_arrived(&((struct woken *)w)->crossing))
        ev_break(loop, EVBREAK_ALL);
}

static void
cross_run(struct bench_run *r, unsigned senders, uint64_t each)
{
    struct woken w = {.loop = loop_new()};

    ev_async_init(&w.async, cross_woken);
    ev_async_start(w.loop, &w.async);
    bench_start(r);
    crossing_start(&w.crossing, senders, each, cross_wake, &w);
    ev_run(w.loop, 0);
    crossing_finish(&w.crossing, r);
    ev_loop_destroy(w.loop);
}

static void
one_to_one(struct bench_run *r)
{
    cross_run(r, 1, bench_ops(r, WAKES));
}

static void
four_to_one(struct bench_run *r)
{
    cross_run(r, 4, bench_ops(r, WAKES_FLOOD) / 4);
}

static const struct bench_case wake_cross_cases[] = {
    {.name = "1 to 1", .run = one_to_one},
    {.name = "4 to 1", .run = four_to_one},
    {0},
};

const struct bench_workload libev_wake_cross = {
    .name = "wake_cross",
    .subject = "libev",
    .measures = "waking a sleeping loop from other threads",
    .how = "ev_async_send(); one thread awaits each arrival, four just send",
    .silent = "how many of four threads' wakes became one",
    .cases = wake_cross_cases,
};
