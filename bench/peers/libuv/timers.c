/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/libuv/timers.c - timers, and what an idle one occupies.
 *
 * A timer is its user's struct, used again and again: uv_timer_start() creates,
 * uv_timer_stop() cancels. The loop's clock is in milliseconds and read once
 * per turn, so a timer can end up to one too early: metric "early" says how
 * often.
 */

#include "libuv.h"

static void
timer_ended(uv_timer_t *t)
{
    (void)t;
    bench_must(0, "a timer that was far away");
}

static void
create_and_cancel(struct bench_run *r)
{
    uint64_t ops = bench_ops(r, TIMERS);
    uv_loop_t loop;
    uv_timer_t t;

    loop_open(&loop);
    uv_timer_init(&loop, &t);
    bench_start(r);
    for (uint64_t i = 0; i < ops; i++) {
        uv_timer_start(&t, timer_ended, timer_far_ms(i), 0);
        uv_timer_stop(&t);
    }
    bench_stop(r, ops);
    uv_close((uv_handle_t *)&t, NULL);
    loop_close(&loop);
}

static void
million_live(struct bench_run *r)
{
    uv_timer_t *all = calloc(MILLION, sizeof *all);
    uv_loop_t loop;

    bench_must(all != NULL, "memory");
    memset(all, 1, MILLION * sizeof *all); // resident: not what is measured
    loop_open(&loop);
    bench_start(r);
    for (uint64_t i = 0; i < MILLION; i++) {
        uv_timer_init(&loop, &all[i]);
        uv_timer_start(&all[i], timer_ended, timer_far_ms(i), 0);
    }
    for (uint64_t i = 0; i < MILLION; i++)
        uv_timer_stop(&all[i]);
    bench_stop(r, MILLION);
    for (uint64_t i = 0; i < MILLION; i++)
        uv_close((uv_handle_t *)&all[i], NULL);
    loop_close(&loop);
    free(all);
}

/* --- naps --- */

struct napper {
    uv_timer_t timer;
    struct naps *naps;
    unsigned id, left;
    uint64_t deadline;
};

static void
napper_nap(struct napper *n, uv_timer_cb ended)
{
    unsigned ms = nap_ms(n->id, n->left);

    n->deadline = bench_now() + ms * UINT64_C(1000000);
    uv_timer_start(&n->timer, ended, ms, 0);
}

static void
napper_ended(uv_timer_t *t)
{
    struct napper *n = t->data;

    if (nap_ended(n->naps, n->deadline, bench_now()))
        nap_stall();
    if (--n->left == 0)
        uv_close((uv_handle_t *)t, NULL);
    else
        napper_nap(n, napper_ended);
}

static void
naps_run(struct bench_run *r, int stalls)
{
    struct napper nappers[NAPPERS];
    struct naps naps;
    uv_loop_t loop;

    loop_open(&loop);
    naps_begin(&naps, stalls);
    bench_start(r);
    for (unsigned i = 0; i < NAPPERS; i++) {
        struct napper *n = &nappers[i];

        n->naps = &naps;
        n->id = i;
        n->left = naps_each(r);
        uv_timer_init(&loop, &n->timer);
        n->timer.data = n;
        napper_nap(n, napper_ended);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    naps_finish(&naps, r);
    loop_close(&loop);
}

PEER_TIMERS(libuv,
            "uv_timer_start() and _stop(), one at a time or a million live; "
            "100 timers of 1 to 10 ms",
            "memory of the handles, which is the user's");
PEER_STALLS(libuv, "100 timers of 1 to 10 ms on one loop",
            "a block that is longer than a nap");

/* --- sleepers --- */

static void
sleepers_start(void)
{
    uv_loop_t *loop = uv_default_loop();

    for (unsigned i = 0; i < SLEEPERS; i++) {
        uv_timer_t *t = malloc(sizeof *t);

        bench_must(t != NULL, "memory");
        uv_timer_init(loop, t);
        uv_timer_start(t, timer_ended, FAR_MS, 0);
    }
    uv_run(loop, UV_RUN_NOWAIT);
}

PEER_SLEEPERS(libuv, "stackless", SLEEPERS,
              "100000 uv_timer_t from malloc(), started",
              "what the user keeps beside it");
