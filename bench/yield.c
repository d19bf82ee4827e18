/* SPDX-License-Identifier: MIT */
/*
 * bench/yield.c - 1000 tasks that yield 1000 times each, inside one worker:
 * what the scheduler takes to go from one ready task to the next.
 *
 * It does not tell what a wake costs, or a second worker.
 */

#include <pons/pons.h>

#include "bench.h"

enum { TASKS = 1000, YIELDS = 1000 };

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

/* The clock is read inside the worker, around all of it. */
static int64_t
run_stackless(void *arg)
{
    struct pons_task *tasks[TASKS];
    double began = bench_now_ns();

    for (int i = 0; i < TASKS; i++) {
        yielders[i].left = YIELDS;
        pons_future_init(&yielders[i].base, &yielder_ops);
        bench_must(pons_spawn_future(NULL, &yielders[i].base, &tasks[i]) == 0,
                   "spawn");
    }
    for (int i = 0; i < TASKS; i++)
        bench_must(pons_join(tasks[i], NULL) == 0, "join");
    bench_add(arg, (bench_now_ns() - began) / ((double)TASKS * YIELDS));
    return 0;
}

static int64_t
run_fibers(void *arg)
{
    struct pons_task *tasks[TASKS];
    double began = bench_now_ns();

    for (int i = 0; i < TASKS; i++)
        bench_must(pons_spawn(NULL, yielding_fiber, NULL, &tasks[i]) == 0,
                   "spawn");
    for (int i = 0; i < TASKS; i++)
        bench_must(pons_join(tasks[i], NULL) == 0, "join");
    bench_add(arg, (bench_now_ns() - began) / ((double)TASKS * YIELDS));
    return 0;
}

int
main(int argc, char **argv)
{
    static struct bench_series stackless = {"yield", "stackless", "wall",
                                            "ns",    {0},         0};
    static struct bench_series fibers = {"yield", "fibers", "wall",
                                         "ns",    {0},      0};
    const struct pons_settings settings = {.size = sizeof settings,
                                           .workers = "1"};
    unsigned repeat = bench_repeat(argc, argv);
    struct pons_runtime *rt;
    struct pons_task *t;

    bench_must(pons_runtime_new(&rt, &settings) == 0, pons_last_error());
    for (unsigned r = 0; r < repeat; r++) {
        bench_must(pons_spawn(rt, run_stackless, &stackless, &t) == 0 &&
                       pons_join(t, NULL) == 0,
                   "stackless");
        bench_must(pons_spawn(rt, run_fibers, &fibers, &t) == 0 &&
                       pons_join(t, NULL) == 0,
                   "fibers");
    }
    pons_runtime_unref(rt);
    bench_print(&stackless);
    bench_print(&fibers);
    return 0;
}
