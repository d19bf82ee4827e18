/* SPDX-License-Identifier: MIT */
/*
 * bench/timers.c - sleeps that begin and are cancelled, and how late those are
 * that are not.
 */

#include <string.h>

#include "counts.h"
#include "naps.h"

struct canceller {
    struct pons_future base;
    struct bench_run *run;
    struct pons_sleep *sleeps;
    uint64_t count, i, began;
};

/* One at a time. */
static enum pons_poll
one_poll(struct pons_future *f, struct pons_waker *w)
{
    struct canceller *c = pons_container_of(f, struct canceller, base);

    PONS_BEGIN(f);
    c->began = pons_now();
    bench_start(c->run);
    for (c->i = 0; c->i < c->count; c->i++) {
        pons_sleep_init(c->sleeps, c->began + timer_far_ms(c->i) * PONS_MS);
        bench_must(pons_future_poll(&c->sleeps->base, w) == PONS_PENDING,
                   "a sleep that lasts");
        pons_future_cancel(&c->sleeps->base);
        PONS_AWAIT(f, w, c->sleeps);
        bench_must(c->sleeps->base.result == -ECANCELED, "a cancel");
    }
    bench_stop(c->run, c->count);
    PONS_END(f);
}

/* All at once. */
static enum pons_poll
all_poll(struct pons_future *f, struct pons_waker *w)
{
    struct canceller *c = pons_container_of(f, struct canceller, base);

    PONS_BEGIN(f);
    c->began = pons_now();
    bench_start(c->run);
    for (c->i = 0; c->i < c->count; c->i++) {
        pons_sleep_init(&c->sleeps[c->i],
                        c->began + timer_far_ms(c->i) * PONS_MS);
        bench_must(pons_future_poll(&c->sleeps[c->i].base, w) == PONS_PENDING,
                   "a sleep that lasts");
    }
    for (c->i = 0; c->i < c->count; c->i++) {
        pons_future_cancel(&c->sleeps[c->i].base);
        PONS_AWAIT(f, w, &c->sleeps[c->i]);
        bench_must(c->sleeps[c->i].base.result == -ECANCELED, "a cancel");
    }
    bench_stop(c->run, c->count);
    PONS_END(f);
}

static const struct pons_future_ops one_ops = {
    .size = sizeof one_ops, .name = "one at a time", .poll = one_poll};
static const struct pons_future_ops all_ops = {
    .size = sizeof all_ops, .name = "all at once", .poll = all_poll};

static void
cancel_run(struct canceller *c, uint64_t live,
           const struct pons_future_ops *ops)
{
    struct pons_runtime *rt = bench_runtime();
    struct pons_task *task;

    c->sleeps = calloc(live, sizeof *c->sleeps);
    bench_must(c->sleeps != NULL, "memory");
    memset(c->sleeps, 1, live * sizeof *c->sleeps); // the user's: resident
    pons_future_init(&c->base, ops);
    bench_must(pons_spawn_future(rt, &c->base, &task) == 0 &&
                   pons_join(task, NULL) == 0,
               "the canceller");
    free(c->sleeps);
    pons_runtime_unref(rt);
}

static void
create_and_cancel(struct bench_run *r)
{
    struct canceller c = {.run = r, .count = bench_ops(r, TIMERS)};

    cancel_run(&c, 1, &one_ops);
}

static void
million_live(struct bench_run *r)
{
    struct canceller c = {.run = r, .count = MILLION};

    cancel_run(&c, MILLION, &all_ops);
}

static void
lateness(struct bench_run *r)
{
    naps_run(r, 0);
}

static const struct bench_case cases[] = {
    {.name = "create and cancel", .run = create_and_cancel, .brief = 1},
    {.name = "1M live", .run = million_live, .cold = 1, .heavy = 1},
    {.name = "lateness", .run = lateness, .main = "p99"},
    {0},
};

static const struct bench_workload timers_workload = {
    .name = "timers",
    .subject = "pons",
    .measures = "a timer that is set and cancelled; how late one is that ends",
    .how = "a stackless task begins sleeps of 1 to 2 hours and cancels them: "
           "one at a time, or a million first and then all; lateness: 100 "
           "tasks sleep 1 to 10 ms, over and over, and p50 to max are how long "
           "past its deadline a sleep ends",
    .silent = "a million that end at once; for lateness wall, which is the "
              "sleeping itself",
    .axes = BENCH_REACTOR | BENCH_WORKERS,
    .cases = cases,
};

int
main(int argc, char **argv)
{
    return bench_main(
        (const struct bench_workload *const[]){&timers_workload, NULL}, argc,
        argv);
}
