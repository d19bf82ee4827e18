/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/glib/wake.c - tasks that wait to be woken: sources of one's own,
 * made ready by g_source_set_ready_time(), which allocates nothing and may be
 * called by any thread. (g_main_context_invoke() makes a source per wake.)
 */

#include "glib_peer.h"

static gboolean
waiter_dispatch(GSource *s, GSourceFunc woken, void *arg)
{
    g_source_set_ready_time(s, -1);
    return woken(arg);
}

static GSourceFuncs waiter_funcs = {.dispatch = waiter_dispatch};

static GSource *
waiter_new(GMainContext *context, GSourceFunc woken, void *arg)
{
    GSource *s = g_source_new(&waiter_funcs, sizeof *s);

    g_source_set_callback(s, woken, arg, NULL);
    g_source_attach(s, context);
    return s;
}

static void
waiter_free(GSource *s)
{
    g_source_destroy(s);
    g_source_unref(s);
}

static void
waiter_wake(void *arg)
{
    g_source_set_ready_time(arg, 0);
}

/* --- ping_pong --- */

enum { FEWER = 10 }; // a poll(2) for each wake

struct player {
    GSource *source;
    struct player *other;
    uint64_t left; // balls to come
};

static gboolean
player_catch(void *arg)
{
    struct player *p = arg;

    if (p->left > 0)
        p->left--;
    waiter_wake(p->other->source);
    return G_SOURCE_CONTINUE;
}

static void
ping_pong_run(struct bench_run *r)
{
    GMainContext *context = g_main_context_new();
    uint64_t balls = bench_ops(r, TURNS / FEWER);
    struct player a = {.left = balls}, b = {.left = balls};

    a.source = waiter_new(context, player_catch, &a);
    b.source = waiter_new(context, player_catch, &b);
    a.other = &b;
    b.other = &a;
    bench_start(r);
    waiter_wake(a.source);
    while (b.left > 0)
        g_main_context_iteration(context, TRUE);
    bench_stop(r, balls);
    waiter_free(a.source);
    waiter_free(b.source);
    g_main_context_unref(context);
}

PEER_PING_PONG(glib, "two sources of one context make each other ready in turn",
               "two threads");

/* --- wake_cross --- */

struct cross {
    struct crossing crossing;
    int done;
};

static gboolean
cross_woken(void *arg)
{
    struct cross *c = arg;

    c->done = crossing_arrived(&c->crossing);
    return G_SOURCE_CONTINUE;
}

static void
cross_run(struct bench_run *r, unsigned senders, uint64_t each)
{
    GMainContext *context = g_main_context_new();
    struct cross c = {.done = 0};
    GSource *waiter = waiter_new(context, cross_woken, &c);

    bench_start(r);
    crossing_start(&c.crossing, senders, each, waiter_wake, waiter);
    while (!c.done)
        g_main_context_iteration(context, TRUE);
    crossing_finish(&c.crossing, r);
    waiter_free(waiter);
    g_main_context_unref(context);
}

PEER_WAKE_CROSS(glib, WAKES_FLOOD, "g_source_set_ready_time()",
                "how many of four threads' wakes became one");
