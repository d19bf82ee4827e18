/* SPDX-License-Identifier: MIT */
#ifndef BENCH_YIELDER_H
#define BENCH_YIELDER_H

/*
 * bench/yielder.h - a task that keeps its worker busy: it yields without end.
 */

#include "core/atomic.h"
#include "runtime.h"

struct yielder {
    struct pons_future base;
    struct pons_yield yield;
    struct pons_task *task;
    uint32_t ending; // set by yielder_end()
};

static inline enum pons_poll
yielder_poll(struct pons_future *f, struct pons_waker *w)
{
    struct yielder *y = pons_container_of(f, struct yielder, base);

    PONS_BEGIN(f);
    while (!poni_load_relaxed(&y->ending)) {
        pons_yield_init(&y->yield);
        PONS_AWAIT(f, w, &y->yield);
    }
    PONS_END(f);
}

static const struct pons_future_ops yielder_ops = {
    .size = sizeof yielder_ops, .name = "yielder", .poll = yielder_poll};

static inline void
yielder_start(struct yielder *y, struct pons_runtime *rt)
{
    y->ending = 0;
    pons_future_init(&y->base, &yielder_ops);
    bench_must(pons_spawn_future(rt, &y->base, &y->task) == 0, "spawn");
}

static inline void
yielder_end(struct yielder *y)
{
    poni_store_relaxed(&y->ending, 1);
    bench_must(pons_join(y->task, NULL) == 0, "join");
}

#endif /* BENCH_YIELDER_H */
