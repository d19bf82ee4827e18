/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/libev/timers.c - timers, and what an idle one occupies.
 *
 * A timer is its user's struct, used again and again: ev_timer_start() creates,
 * ev_timer_stop() cancels. The loop reads its clock once per turn, so a timer
 * that is started late in a turn ends early: metric "early" says how often.
 */

#include "libev.h"

static void
timer_ended(struct ev_loop *loop, ev_timer *t, int events)
{
    (void)loop;
    (void)t;
    (void)events;
    bench_must(0, "a timer that was far away");
}

static double
seconds(uint64_t ms)
{
    return (double)ms / 1000;
}

static void
create_and_cancel(struct bench_run *r)
{
    struct ev_loop *loop = loop_new();
    uint64_t ops = bench_ops(r, TIMERS);
    ev_timer t;

    bench_start(r);
    for (uint64_t i = 0; i < ops; i++) {
        ev_timer_init(&t, timer_ended, seconds(timer_far_ms(i)), 0);
        ev_timer_start(loop, &t);
        ev_timer_stop(loop, &t);
    }
    bench_stop(r, ops);
    ev_loop_destroy(loop);
}

static void
million_live(struct bench_run *r)
{
    struct ev_loop *loop = loop_new();
    ev_timer *all = calloc(MILLION, sizeof *all);

    bench_must(all != NULL, "memory");
    memset(all, 1, MILLION * sizeof *all); // resident: not what is measured
    bench_start(r);
    for (uint64_t i = 0; i < MILLION; i++) {
        ev_timer_init(&all[i], timer_ended, seconds(timer_far_ms(i)), 0);
        ev_timer_start(loop, &all[i]);
    }
    for (uint64_t i = 0; i < MILLION; i++)
        ev_timer_stop(loop, &all[i]);
    bench_stop(r, MILLION);
    ev_loop_destroy(loop);
    free(all);
}

/* --- naps --- */

struct napper {
    ev_timer timer; // first: the callback's watcher is the napper
    struct naps *naps;
    unsigned id, left;
    uint64_t deadline;
};

/* The timer's callback is set. */
static void
napper_nap(struct ev_loop *loop, struct napper *n)
{
    unsigned ms = nap_ms(n->id, n->left);

    n->deadline = bench_now() + ms * UINT64_C(1000000);
    ev_timer_set(&n->timer, seconds(ms), 0);
    ev_timer_start(loop, &n->timer);
}

static void
napper_ended(struct ev_loop *loop, ev_timer *t, int events)
{
    struct napper *n = (struct napper *)t;

    (void)events;
    if (nap_ended(n->naps, n->deadline, bench_now()))
        nap_stall();
    if (--n->left > 0)
        napper_nap(loop, n);
}

static void
naps_run(struct bench_run *r, int stalls)
{
    struct ev_loop *loop = loop_new();
    struct napper nappers[NAPPERS];
    struct naps naps;

    naps_begin(&naps, stalls);
    bench_start(r);
    for (unsigned i = 0; i < NAPPERS; i++) {
        struct napper *n = &nappers[i];

        n->naps = &naps;
        n->id = i;
        n->left = naps_each(r);
        ev_init(&n->timer, napper_ended);
        napper_nap(loop, n);
    }
    ev_run(loop, 0);
    naps_finish(&naps, r);
    ev_loop_destroy(loop);
}

PEER_TIMERS(libev,
            "ev_timer_start() and _stop(), one at a time or a million live; "
            "100 timers of 1 to 10 ms",
            "memory of the watchers, which is the user's");
PEER_STALLS(libev, "100 timers of 1 to 10 ms on one loop",
            "a block that is longer than a nap");

/* --- sleepers --- */

static void
sleepers_start(void)
{
    struct ev_loop *loop = loop_new();

    for (unsigned i = 0; i < SLEEPERS; i++) {
        ev_timer *t = malloc(sizeof *t);

        bench_must(t != NULL, "memory");
        ev_timer_init(t, timer_ended, seconds(FAR_MS), 0);
        ev_timer_start(loop, t);
    }
    ev_run(loop, EVRUN_NOWAIT);
}

PEER_SLEEPERS(libev, "stackless", SLEEPERS,
              "100000 ev_timer from malloc(), started",
              "what the user keeps beside it");
