/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/glib/timers.c - timers, and what an idle one occupies.
 *
 * A timer is a source, made for one use and destroyed to cancel it. A context
 * walks all its sources in every turn: with a million live, creating and
 * cancelling them is what is measured, and a turn is not.
 */

#include "glib_peer.h"

static gboolean
timer_ended(void *arg)
{
    (void)arg;
    bench_must(0, "a timer that was far away");
    return G_SOURCE_REMOVE;
}

static GSource *
timer_new(GMainContext *context, uint64_t ms, GSourceFunc ended, void *arg)
{
    GSource *s = g_timeout_source_new((guint)ms);

    g_source_set_callback(s, ended, arg, NULL);
    g_source_attach(s, context);
    return s;
}

static void
timer_free(GSource *s)
{
    g_source_destroy(s);
    g_source_unref(s);
}

enum { FEWER = 4 }; // a source is allocated for each

static void
create_and_cancel(struct bench_run *r)
{
    GMainContext *context = g_main_context_new();
    uint64_t ops = bench_ops(r, TIMERS / FEWER);

    bench_start(r);
    for (uint64_t i = 0; i < ops; i++)
        timer_free(timer_new(context, timer_far_ms(i), timer_ended, NULL));
    bench_stop(r, ops);
    g_main_context_unref(context);
}

static void
million_live(struct bench_run *r)
{
    GMainContext *context = g_main_context_new();
    GSource **all = calloc(MILLION, sizeof(GSource *));

    bench_must(all != NULL, "memory");
    memset(all, 1, MILLION * sizeof *all); // resident: not what is measured
    bench_start(r);
    for (uint64_t i = 0; i < MILLION; i++)
        all[i] = timer_new(context, timer_far_ms(i), timer_ended, NULL);
    for (uint64_t i = 0; i < MILLION; i++)
        timer_free(all[i]);
    bench_stop(r, MILLION);
    g_main_context_unref(context);
    free(all);
}

/* --- naps --- */

struct napper {
    GMainContext *context;
    struct naps *naps;
    unsigned *nappers; // how many have not ended
    unsigned id, left;
    uint64_t deadline;
};

static void
napper_nap(struct napper *n, GSourceFunc ended)
{
    unsigned ms = nap_ms(n->id, n->left);

    n->deadline = bench_now() + ms * UINT64_C(1000000);
    g_source_unref(timer_new(n->context, ms, ended, n));
}

static gboolean
napper_ended(void *arg)
{
    struct napper *n = arg;

    if (nap_ended(n->naps, n->deadline, bench_now()))
        nap_stall();
    if (--n->left > 0)
        napper_nap(n, napper_ended);
    else
        --*n->nappers;
    return G_SOURCE_REMOVE;
}

static void
naps_run(struct bench_run *r, int stalls)
{
    GMainContext *context = g_main_context_new();
    struct napper nappers[NAPPERS];
    unsigned left = NAPPERS;
    struct naps naps;

    naps_begin(&naps, stalls);
    bench_start(r);
    for (unsigned i = 0; i < NAPPERS; i++) {
        nappers[i] = (struct napper){.context = context,
                                     .naps = &naps,
                                     .nappers = &left,
                                     .id = i,
                                     .left = naps_each(r)};
        napper_nap(&nappers[i], napper_ended);
    }
    while (left > 0)
        g_main_context_iteration(context, TRUE);
    naps_finish(&naps, r);
    g_main_context_unref(context);
}

PEER_TIMERS(glib,
            "g_timeout_source_new() attached and destroyed, one at a time or "
            "a million live; 100 timers of 1 to 10 ms",
            "that each turn of the loop walks all of them");
PEER_STALLS(glib, "100 timeout sources of 1 to 10 ms in one context",
            "a block that is longer than a nap");

/* --- sleepers --- */

static void
sleepers_start(void)
{
    for (unsigned i = 0; i < SLEEPERS; i++)
        g_source_unref(timer_new(NULL, FAR_MS, timer_ended, NULL));
    g_main_context_iteration(NULL, FALSE);
}

PEER_SLEEPERS(glib, "stackless", SLEEPERS, "100000 timeout sources, attached",
              "what the user keeps beside it");
