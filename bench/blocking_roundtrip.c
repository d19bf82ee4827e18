/* SPDX-License-Identifier: MIT */
/*
 * bench/blocking_roundtrip.c - a fiber calls code that may block: to a thread
 * of the pool and back.
 */

#include "bench.h"
#include "counts.h"
#include "runtime.h"
#include "yielder.h"

static int64_t
nothing(void *arg)
{
    (void)arg;
    return 1;
}

static int64_t
call(void *arg)
{
    struct bench_run *r = arg;
    uint64_t ops = bench_ops(r, JOBS);
    int64_t answer;

    bench_must(pons_blocking(nothing, NULL, NULL) == 0, "the first thread");
    bench_start(r);
    for (uint64_t i = 0; i < ops; i++)
        bench_must(pons_blocking(nothing, NULL, &answer) == 0 && answer == 1,
                   "blocking");
    bench_stop(r, ops);
    return 0;
}

static void
idle(struct bench_run *r)
{
    struct pons_runtime *rt = bench_runtime();

    bench_inside(rt, call, r);
    pons_runtime_unref(rt);
}

static void
busy(struct bench_run *r)
{
    struct pons_runtime *rt = bench_runtime();
    struct yielder y;

    yielder_start(&y, rt);
    bench_inside(rt, call, r);
    yielder_end(&y);
    pons_runtime_unref(rt);
}

static const struct bench_case cases[] = {
    {.name = "idle", .run = idle},
    {.name = "busy", .run = busy},
    {0},
};

static const struct bench_workload blocking_roundtrip_workload = {
    .name = "blocking_roundtrip",
    .subject = "pons",
    .measures = "a blocking call from a fiber, to the pool and back",
    .how = "one fiber calls an empty job, one after the other; busy: while "
           "another task yields without end",
    .silent = "a pool thread that has slept for long; many calls at once",
    .axes = BENCH_REACTOR | BENCH_POOL | BENCH_WORKERS,
    .cases = cases,
    .spread = 1,
};

int
main(int argc, char **argv)
{
    return bench_main(
        (const struct bench_workload *const[]){&blocking_roundtrip_workload,
                                               NULL},
        argc, argv);
}
