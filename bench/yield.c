/* SPDX-License-Identifier: MIT */
/*
 * bench/yield.c - what the scheduler takes to go from one ready task to the
 * next.
 */

#include "bench.h"
#include "counts.h"
#include "runtime.h"

struct yielder {
    struct pons_future base;
    struct pons_yield yield;
    int left;
};

static enum pons_poll
yielder_poll(struct pons_future *f, struct pons_waker *w)
{
    struct yielder *y = pons_container_of(f, struct yielder, base);

    PONS_BEGIN(f);
    while (y->left-- > 0) {
        pons_yield_init(&y->yield);
        PONS_AWAIT(f, w, &y->yield);
    }
    PONS_END(f);
}

static const struct pons_future_ops yielder_ops = {
    .size = sizeof yielder_ops, .name = "yielder", .poll = yielder_poll};

static int64_t
yielding_fiber(void *arg)
{
    (void)arg;
    for (int i = 0; i < YIELDS; i++)
        bench_must(pons_yield() == 0, "yield");
    return 0;
}

static struct yielder yielders[TASKS];

static int64_t
run_stackless(void *arg)
{
    struct pons_task *tasks[TASKS];
    struct bench_run *r = arg;

    bench_start(r);
    for (int i = 0; i < TASKS; i++) {
        yielders[i].left = YIELDS;
        pons_future_init(&yielders[i].base, &yielder_ops);
        bench_must(pons_spawn_future(NULL, &yielders[i].base, &tasks[i]) == 0,
                   "spawn");
    }
    for (int i = 0; i < TASKS; i++)
        bench_must(pons_join(tasks[i], NULL) == 0, "join");
    bench_stop(r, (uint64_t)TASKS * YIELDS);
    return 0;
}

static int64_t
run_fibers(void *arg)
{
    struct pons_task *tasks[TASKS];
    struct bench_run *r = arg;

    bench_start(r);
    for (int i = 0; i < TASKS; i++)
        bench_must(pons_spawn(NULL, yielding_fiber, NULL, &tasks[i]) == 0,
                   "spawn");
    for (int i = 0; i < TASKS; i++)
        bench_must(pons_join(tasks[i], NULL) == 0, "join");
    bench_stop(r, (uint64_t)TASKS * YIELDS);
    return 0;
}

static void
stackless(struct bench_run *r)
{
    struct pons_runtime *rt = bench_runtime();

    bench_inside(rt, run_stackless, r);
    pons_runtime_unref(rt);
}

static void
fibers(struct bench_run *r)
{
    struct pons_runtime *rt = bench_runtime();

    bench_inside(rt, run_fibers, r);
    pons_runtime_unref(rt);
}

static const struct bench_case cases[] = {
    {.name = "stackless", .run = stackless, .brief = 1},
    {.name = "fibers", .run = fibers, .brief = 1},
    {0},
};

static const struct bench_workload yield_workload = {
    .name = "yield",
    .subject = "pons",
    .measures = "going from one ready task to the next",
    .how = "1000 tasks inside a worker yield 1000 times each",
    .silent = "what a wake costs, or a second worker",
    .axes = BENCH_WORKERS,
    .cases = cases,
};

int
main(int argc, char **argv)
{
    return bench_main(
        (const struct bench_workload *const[]){&yield_workload, NULL}, argc,
        argv);
}
