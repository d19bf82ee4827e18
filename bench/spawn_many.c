/* SPDX-License-Identifier: MIT */
/*
 * bench/spawn_many.c - 10,000 empty tasks at once, spawned by a task, or by an
 * ordinary thread while the workers sleep or work.
 */

#include "bench.h"
#include "counts.h"
#include "gate.h"
#include "runtime.h"
#include "yielder.h"

static struct pons_future tasks[MANY];
static struct gate gate;

static enum pons_poll
empty_poll(struct pons_future *f, struct pons_waker *w)
{
    (void)w;
    f->result = 0;
    return PONS_READY;
}

static void
empty_drop(struct pons_future *f)
{
    (void)f;
    gate_arrive(&gate);
}

static const struct pons_future_ops empty_ops = {.size = sizeof empty_ops,
                                                 .name = "empty",
                                                 .poll = empty_poll,
                                                 .drop = empty_drop};

static void
spawn_round(struct pons_runtime *rt)
{
    gate_shut(&gate, MANY);
    for (int i = 0; i < MANY; i++) {
        pons_future_init(&tasks[i], &empty_ops);
        bench_must(pons_spawn_future(rt, &tasks[i], NULL) == 0, "spawn");
    }
    bench_must(pons_await(&gate.cell.base) == 0, "the last task");
}

/* The first round is nobody's: memory is cold. */
static void
spawn_rounds(struct bench_run *r, struct pons_runtime *rt)
{
    uint64_t rounds = bench_ops(r, MANY_ROUNDS);

    spawn_round(rt);
    bench_start(r);
    for (uint64_t i = 0; i < rounds; i++)
        spawn_round(rt);
    bench_stop(r, rounds * MANY);
}

static int64_t
run_inside(void *arg)
{
    spawn_rounds(arg, NULL);
    return 0;
}

static void
inside(struct bench_run *r)
{
    struct pons_runtime *rt = bench_runtime();

    bench_inside(rt, run_inside, r);
    pons_runtime_unref(rt);
}

static void
outside_idle(struct bench_run *r)
{
    struct pons_runtime *rt = bench_runtime();

    spawn_rounds(r, rt);
    pons_runtime_unref(rt);
}

/* Each worker has a yielder, or it would find time. */
static void
outside_busy(struct bench_run *r)
{
    enum { WORKERS_MAX = 64 };
    struct pons_stats stats = {.size = sizeof stats};
    struct pons_runtime *rt = bench_runtime();
    struct yielder yielders[WORKERS_MAX];

    bench_must(pons_runtime_stats(rt, &stats) == 0, "stats");
    if (stats.workers == 0 || stats.workers > WORKERS_MAX) {
        bench_skip(r, "wants between 1 and 64 workers to keep busy");
        goto unref;
    }
    for (unsigned i = 0; i < stats.workers; i++)
        yielder_start(&yielders[i], rt);
    spawn_rounds(r, rt);
    for (unsigned i = 0; i < stats.workers; i++)
        yielder_end(&yielders[i]);
unref:
    pons_runtime_unref(rt);
}

static const struct bench_case cases[] = {
    {.name = "inside", .run = inside, .brief = 1},
    {.name = "outside idle", .run = outside_idle},
    {.name = "outside busy", .run = outside_busy},
    {0},
};

static const struct bench_workload spawn_many_workload = {
    .name = "spawn_many",
    .subject = "pons",
    .measures = "one of many tasks spawned at once, to the end of the last",
    .how = "10,000 empty stackless tasks are spawned and not joined: by a "
           "task; by an ordinary thread while the workers have nothing else "
           "to do, or have a task each that yields without end",
    .silent = "how soon the first of them runs",
    .axes = BENCH_WORKERS,
    .cases = cases,
    .spread = 1,
};

int
main(int argc, char **argv)
{
    return bench_main(
        (const struct bench_workload *const[]){&spawn_many_workload, NULL},
        argc, argv);
}
