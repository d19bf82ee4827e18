/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/libuv/loop.c - tasks that take turns, and wakes from outside.
 *
 * libuv has no tasks. What comes nearest to one that yields is an idle handle,
 * called once per turn of the loop; a wake from anywhere is uv_async_send(),
 * so two that wake each other are two loops, each with its thread.
 */

#include "libuv.h"

/* --- yield --- */

static void
yield_turn(uv_idle_t *h)
{
    uint64_t *left = h->data;

    if (--*left == 0)
        uv_idle_stop(h);
}

static void
yield_run(struct bench_run *r)
{
    uint64_t yields = bench_ops(r, YIELDS), left[TASKS];
    uv_idle_t tasks[TASKS];
    uv_loop_t loop;

    loop_open(&loop);
    bench_start(r);
    for (int i = 0; i < TASKS; i++) {
        left[i] = yields;
        uv_idle_init(&loop, &tasks[i]);
        tasks[i].data = &left[i];
        uv_idle_start(&tasks[i], yield_turn);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    bench_stop(r, TASKS * yields);
    for (int i = 0; i < TASKS; i++)
        uv_close((uv_handle_t *)&tasks[i], NULL);
    loop_close(&loop);
}

static const struct bench_case yield_cases[] = {
    {.name = "stackless", .run = yield_run},
    {0},
};

const struct bench_workload libuv_yield = {
    .name = "yield",
    .subject = "libuv",
    .measures = "going from one ready task to the next",
    .how = "1000 idle handles are called 1000 times each",
    .silent = "what a task costs that keeps its place in a function",
    .cases = yield_cases,
};

/* --- ping_pong --- */

struct player {
    uv_loop_t loop;
    uv_async_t ball;
    struct player *other;
    uint64_t left; // balls to come
};

static void
player_catch(uv_async_t *h)
{
    struct player *p = h->data;

    p->left--;
    uv_async_send(&p->other->ball);
    if (p->left == 0)
        uv_stop(&p->loop);
}

static void
player_open(struct player *p, struct player *other, uint64_t balls)
{
    p->other = other;
    p->left = balls;
    loop_open(&p->loop);
    bench_must(uv_async_init(&p->loop, &p->ball, player_catch) == 0, "async");
    p->ball.data = p;
}

static void
player_close(struct player *p)
{
    uv_close((uv_handle_t *)&p->ball, NULL);
    loop_close(&p->loop);
}

static void
player_play(void *arg)
{
    struct player *p = arg;

    uv_run(&p->loop, UV_RUN_DEFAULT);
}

static void
ping_pong_run(struct bench_run *r)
{
    uint64_t balls = bench_ops(r, BALLS);
    struct player a, b;
    uv_thread_t thread;

    player_open(&a, &b, balls);
    player_open(&b, &a, balls);
    bench_start(r);
    bench_must(uv_thread_create(&thread, player_play, &b) == 0, "thread");
    uv_async_send(&a.ball);
    player_play(&a);
    uv_thread_join(&thread);
    bench_stop(r, balls);
    player_close(&a);
    player_close(&b);
}

static const struct bench_case ping_pong_cases[] = {
    {.name = "tasks", .run = ping_pong_run},
    {0},
};

const struct bench_workload libuv_ping_pong = {
    .name = "ping_pong",
    .subject = "libuv",
    .measures = "waking one that waits and being woken by it: there and back",
    .how = "two loops on two threads, a uv_async_send() to each other in turn",
    .silent = "two within one loop: there one calls the other",
    .cases = ping_pong_cases,
};

/* --- wake_cross --- */

static void
cross_wake(void *arg)
{
    uv_async_send(arg);
}

static void
cross_woken(uv_async_t *h)
{
    if (crossing_arrived(h->data))
        uv_stop(h->loop);
}

static void
cross_run(struct bench_run *r, unsigned senders, uint64_t each)
{
    struct crossing c;
    uv_async_t woken;
    uv_loop_t loop;

    loop_open(&loop);
    bench_must(uv_async_init(&loop, &woken, cross_woken) == 0, "async");
    woken.data = &c;
    bench_start(r);
    crossing_start(&c, senders, each, cross_wake, &woken);
    uv_run(&loop, UV_RUN_DEFAULT);
    crossing_finish(&c, r);
    uv_close((uv_handle_t *)&woken, NULL);
    loop_close(&loop);
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

const struct bench_workload libuv_wake_cross = {
    .name = "wake_cross",
    .subject = "libuv",
    .measures = "waking a sleeping loop from other threads",
    .how = "uv_async_send(); one thread awaits each arrival, four just send",
    .silent = "how many of four threads' wakes became one",
    .cases = wake_cross_cases,
};
