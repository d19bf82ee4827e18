/* SPDX-License-Identifier: MIT */
/*
 * kit/pool_idle.c - B5: threads without a job sleep, or leave.
 */

#include "kit.h"

#include <sched.h>
#include <stdio.h>

#include "core/atomic.h"
#include "pons/time.h"
#include "spy.h"
#include "work.h"

enum {
    ASKS = 1000,   // of one thread in one time without a job
    REST_MS = 100, // for which so many should do
    THREADS = 3,
};

/* --- sleep --- */

static uint64_t idle_rest_ns; // that it was told since it has no job
static int idle_asks;         // since then
static int idle_rests;        // atomic: it is asleep for good, or gone

static void
idle_asked(const struct pons_pool_view *v, uint64_t parked_ns, uint64_t answer)
{
    (void)v;
    if (parked_ns == 0)
        idle_rest_ns = 0, idle_asks = 0;
    if (answer >= REST_MS * PONS_MS)
        poni_store_relaxed(&idle_rests, 1);
    else if ((idle_rest_ns += answer) >= REST_MS * PONS_MS)
        poni_store_relaxed(&idle_rests, 1);
    KIT_WANT(++idle_asks < ASKS,
             "on_idle, asked %d times: wanted %d ms of rest, found %llu ns",
             ASKS, REST_MS, (unsigned long long)idle_rest_ns);
}

static const struct kit_spy idle_spy = {.on_idle = idle_asked};

static void
idle_sleeps(struct kit *k)
{
    struct poni_pool *p;
    struct kit_work w;

    (void)kit_pool_bound(k, 1);
    kit_spy(&idle_spy);
    p = kit_pool_open(k);
    kit_work_init(&w, 0);
    kit_work_submit(p, &w);
    kit_work_await(&w);
    while (!poni_load_relaxed(&idle_rests))
        sched_yield();
    kit_pool_close(p);
}

/* --- leave --- */

static void
idle_leaves(struct kit *k)
{
    struct kit_work w[THREADS];
    struct poni_pool *p;

    if (!kit_has_option(k, "keepalive") ||
        kit_configure(k, "keepalive", "1ms") < 0)
        kit_skip("it has no option keepalive");
    if (kit_is_given(k))
        kit_skip(
            "its options are given, and may allow less than %d threads, or "
            "keep them",
            THREADS);
    p = kit_pool_open(k);
    for (int i = 0; i < THREADS; i++)
        kit_work_occupy(p, &w[i]);
    for (int i = 0; i < THREADS; i++)
        kit_work_finish(&w[i]);
    while (kit_pool_figures(p).threads >= THREADS)
        sched_yield();
    kit_pool_close(p);
}

const struct kit_test kit_pool_idle_tests[] = {
    {"B5", "a thread without a job sleeps", KIT_ALL, NULL, idle_sleeps},
    {"B5", "threads leave after their keepalive", KIT_THREADS, "B4",
     idle_leaves},
    {0},
};
