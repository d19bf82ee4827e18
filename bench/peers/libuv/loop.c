/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/libuv/loop.c - tasks that take turns, and wakes from outside.
 *
 * libuv has no tasks. What comes nearest to one that yields is an idle handle,
 * called once per turn of the loop; a wake, from within or from other threads,
 * is uv_async_send().
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
    uint64_t left[TASKS];
    uv_idle_t tasks[TASKS];
    uv_loop_t loop;

    loop_open(&loop);
    bench_start(r);
    for (int i = 0; i < TASKS; i++) {
        left[i] = YIELDS;
        uv_idle_init(&loop, &tasks[i]);
        tasks[i].data = &left[i];
        uv_idle_start(&tasks[i], yield_turn);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    bench_stop(r, (uint64_t)TASKS * YIELDS);
    for (int i = 0; i < TASKS; i++)
        uv_close((uv_handle_t *)&tasks[i], NULL);
    loop_close(&loop);
}

PEER_YIELD(libuv, "stackless", 0,
           "1000 idle handles are called 1000 times each",
           "what a task costs that keeps its place in a function");

/* --- ping_pong --- */

enum { FEWER = 10 }; // a system call for each wake

struct player {
    uv_async_t ball;
    struct player *other;
    uint64_t left; // balls to come
};

static void
player_catch(uv_async_t *h)
{
    struct player *p = h->data;

    if (p->left-- > 0)
        uv_async_send(&p->other->ball);
    else
        uv_stop(h->loop);
}

static void
player_open(uv_loop_t *loop, struct player *p, struct player *other,
            uint64_t balls)
{
    p->other = other;
    p->left = balls;
    bench_must(uv_async_init(loop, &p->ball, player_catch) == 0, "async");
    p->ball.data = p;
}

static void
ping_pong_run(struct bench_run *r)
{
    uint64_t balls = bench_ops(r, TURNS / FEWER);
    struct player a, b;
    uv_loop_t loop;

    loop_open(&loop);
    player_open(&loop, &a, &b, balls);
    player_open(&loop, &b, &a, balls);
    bench_start(r);
    uv_async_send(&a.ball);
    uv_run(&loop, UV_RUN_DEFAULT);
    bench_stop(r, balls);
    uv_close((uv_handle_t *)&a.ball, NULL);
    uv_close((uv_handle_t *)&b.ball, NULL);
    loop_close(&loop);
}

PEER_PING_PONG(libuv,
               "two uv_async_t of one loop, a uv_async_send() to each other in "
               "turn",
               "two threads");

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

PEER_WAKE_CROSS(libuv, WAKES_FLOOD, "uv_async_send()",
                "how many of four threads' wakes became one");
