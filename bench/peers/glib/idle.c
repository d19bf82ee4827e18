/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/glib/idle.c - tasks that are ready at once: idle sources.
 *
 * Nobody can wait for a source, so joining is counting those that have run.
 */

#include "glib_peer.h"

/* --- spawn_join --- */

static gboolean
task_run(void *arg)
{
    uint64_t *left = arg; // of the loop's thread

    --*left;
    return G_SOURCE_REMOVE;
}

static void
spawn_and_join(GMainContext *context, uint64_t live)
{
    uint64_t left = live;

    for (uint64_t i = 0; i < live; i++)
        glib_idle(context, task_run, &left);
    while (left > 0)
        g_main_context_iteration(context, TRUE);
}

static void
spawn_join_run(struct bench_run *r, uint64_t live, uint64_t rounds)
{
    GMainContext *context = g_main_context_new();

    bench_start(r);
    for (uint64_t i = 0; i < rounds; i++)
        spawn_and_join(context, live);
    bench_stop(r, live * rounds);
    g_main_context_unref(context);
}

PEER_SPAWN_JOIN(glib, "idle sources attached by the thread that iterates, then "
                      "counted");

/* --- spawn_many --- */

static void
inside(struct bench_run *r)
{
    GMainContext *context = g_main_context_new();
    uint64_t rounds = bench_ops(r, MANY_ROUNDS);

    spawn_and_join(context, MANY); // memory is cold
    bench_start(r);
    for (uint64_t i = 0; i < rounds; i++)
        spawn_and_join(context, MANY);
    bench_stop(r, rounds * MANY);
    g_main_context_unref(context);
}

static gboolean
outside_task_run(void *arg)
{
    gate_arrive(arg);
    return G_SOURCE_REMOVE;
}

static void
outside_round(GMainLoop *loop, struct gate *g)
{
    gate_shut(g, MANY);
    for (int i = 0; i < MANY; i++)
        glib_idle(g_main_loop_get_context(loop), outside_task_run, g);
    gate_wait(g);
}

static void *
outside_loop(void *loop)
{
    g_main_loop_run(loop);
    return NULL;
}

static gboolean
busy_turn(void *loop)
{
    (void)loop;
    return G_SOURCE_CONTINUE;
}

static gboolean
quit(void *loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

static void
outside_run(struct bench_run *r, int busy)
{
    GMainContext *context = g_main_context_new();
    GMainLoop *loop = g_main_loop_new(context, FALSE);
    uint64_t rounds = bench_ops(r, MANY_ROUNDS);
    GThread *thread = g_thread_new("loop", outside_loop, loop);
    struct gate g;

    gate_init(&g);
    if (busy)
        glib_idle(context, busy_turn, loop);
    outside_round(loop, &g); // memory is cold
    bench_start(r);
    for (uint64_t i = 0; i < rounds; i++)
        outside_round(loop, &g);
    bench_stop(r, rounds * MANY);
    glib_idle(context, quit, loop);
    g_thread_join(thread);
    g_main_loop_unref(loop);
    g_main_context_unref(context);
}

static void
outside_idle(struct bench_run *r)
{
    outside_run(r, 0);
}

static void
outside_busy(struct bench_run *r)
{
    outside_run(r, 1);
}

PEER_SPAWN_MANY(glib, 0,
                "10,000 idle sources are attached: by the loop's thread; by "
                "another while the loop has nothing else to do, or a source "
                "that is always ready");

/* --- chained_spawn --- */

struct chain {
    GMainContext *context;
    uint64_t left;
};

static gboolean
chain_link(void *arg)
{
    struct chain *c = arg;

    if (--c->left > 0)
        glib_idle(c->context, chain_link, c);
    return G_SOURCE_REMOVE;
}

static void
chain_run(struct bench_run *r)
{
    struct chain c = {.context = g_main_context_new()};
    uint64_t chains = bench_ops(r, CHAINS);

    bench_start(r);
    for (uint64_t i = 0; i < chains; i++) {
        c.left = TASKS;
        glib_idle(c.context, chain_link, &c);
        while (c.left > 0)
            g_main_context_iteration(c.context, TRUE);
    }
    bench_stop(r, chains * TASKS);
    g_main_context_unref(c.context);
}

PEER_CHAINED_SPAWN(glib, "1000 idle sources, each attached by the one before");

/* --- yield --- */

struct yielder {
    uint64_t left;
    uint64_t *tasks; // how many have not ended
};

static gboolean
yielder_turn(void *arg)
{
    struct yielder *y = arg;

    if (--y->left > 0)
        return G_SOURCE_CONTINUE;
    --*y->tasks;
    return G_SOURCE_REMOVE;
}

static void
yield_run(struct bench_run *r)
{
    GMainContext *context = g_main_context_new();
    uint64_t left = TASKS;
    struct yielder tasks[TASKS];

    bench_start(r);
    for (int i = 0; i < TASKS; i++) {
        tasks[i] = (struct yielder){YIELDS, &left};
        glib_idle(context, yielder_turn, &tasks[i]);
    }
    while (left > 0)
        g_main_context_iteration(context, TRUE);
    bench_stop(r, (uint64_t)TASKS * YIELDS);
    g_main_context_unref(context);
}

PEER_YIELD(glib, "stackless", 0, "1000 idle sources are called 1000 times each",
           "what a task costs that keeps its place in a function");
