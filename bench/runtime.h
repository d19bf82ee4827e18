/* SPDX-License-Identifier: MIT */
#ifndef BENCH_RUNTIME_H
#define BENCH_RUNTIME_H

/*
 * bench/runtime.h - a benchmark's runtime: what the environment chooses, so
 * that `pons bench` varies it from outside.
 */

#include <pons/pons.h>
#include <stdlib.h>

#include "bench.h"

/* With one worker where PONS_WORKERS says nothing. The caller unrefs it. */
static inline struct pons_runtime *
bench_runtime(void)
{
    const struct pons_settings settings = {
        .size = sizeof settings,
        .workers = getenv("PONS_WORKERS") ? NULL : "1"};
    struct pons_runtime *rt;
    int err = pons_runtime_new(&rt, &settings);

    bench_must(err == 0, pons_last_error());
    return rt;
}

/* Runs fn(arg) as a fiber of the runtime, to its end. */
static inline void
bench_inside(struct pons_runtime *rt, pons_fiber_f *fn, void *arg)
{
    struct pons_task *t;

    bench_must(pons_spawn(rt, fn, arg, &t) == 0 && pons_join(t, NULL) == 0,
               "a task");
}

#endif /* BENCH_RUNTIME_H */
