/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/libev/loop.c - tasks that take turns, and wakes from outside.
 *
 * libev has no tasks. What comes nearest to one that yields is an idle watcher,
 * called once per turn of the loop; a wake, from within or from other threads,
 * is ev_async_send().
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
    struct ev_loop *loop = loop_new();
    struct yielder tasks[TASKS];

    bench_start(r);
    for (int i = 0; i < TASKS; i++) {
        tasks[i].left = YIELDS;
        ev_idle_init(&tasks[i].idle, yielder_turn);
        ev_idle_start(loop, &tasks[i].idle);
    }
    ev_run(loop, 0);
    bench_stop(r, (uint64_t)TASKS * YIELDS);
    ev_loop_destroy(loop);
}

PEER_YIELD(libev, "stackless", 0,
           "1000 idle watchers are called 1000 times each",
           "what a task costs that keeps its place in a function");

/* --- ping_pong --- */

enum { FEWER = 10 }; // a turn of the loop for each wake

struct player {
    ev_async ball; // first: the callback's watcher is the player
    struct player *other;
    uint64_t left; // balls to come
};

static void
player_catch(struct ev_loop *loop, ev_async *w, int events)
{
    struct player *p = (struct player *)w;

    (void)events;
    if (p->left-- > 0)
        ev_async_send(loop, &p->other->ball);
    else
        ev_break(loop, EVBREAK_ALL);
}

static void
player_open(struct ev_loop *loop, struct player *p, struct player *other,
            uint64_t balls)
{
    p->other = other;
    p->left = balls;
    ev_async_init(&p->ball, player_catch);
    ev_async_start(loop, &p->ball);
}

static void
ping_pong_run(struct bench_run *r)
{
    uint64_t balls = bench_ops(r, TURNS / FEWER);
    struct ev_loop *loop = loop_new();
    struct player a, b;

    player_open(loop, &a, &b, balls);
    player_open(loop, &b, &a, balls);
    bench_start(r);
    ev_async_send(loop, &a.ball);
    ev_run(loop, 0);
    bench_stop(r, balls);
    ev_loop_destroy(loop);
}

PEER_PING_PONG(libev,
               "two ev_async of one loop, an ev_async_send() to each other in "
               "turn",
               "two threads");

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

PEER_WAKE_CROSS(libev, WAKES_FLOOD, "ev_async_send()",
                "how many of four threads' wakes became one");
