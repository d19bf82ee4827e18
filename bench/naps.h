/* SPDX-License-Identifier: MIT */
#ifndef BENCH_NAPS_H
#define BENCH_NAPS_H

/*
 * bench/naps.h - a hundred stackless tasks sleep 1 to 10 ms, over and over: how
 * late they wake, while nothing else happens or while some of them block their
 * worker.
 */

#include <errno.h>
#include <time.h>

#include "bench.h"
#include "core/atomic.h"
#include "counts.h"
#include "runtime.h"

struct napper {
    struct pons_future base;
    struct pons_sleep sleep;
    unsigned id, nap, naps;
    int stalls;
    int64_t late_ns[NAPS];
};

static struct napper nappers[NAPPERS];
static uint32_t naps_ended;

static inline void
napper_woke(struct napper *n)
{
    const struct timespec stall = {0, NAP_STALL_NS};

    bench_must(n->sleep.base.result == 0, "sleep");
    n->late_ns[n->nap] = (int64_t)(bench_now() - n->sleep.deadline_ns);
    if (n->stalls && poni_add_relaxed(&naps_ended, 1) % NAP_STALL_EVERY ==
                         NAP_STALL_EVERY - 1)
        nanosleep(&stall, NULL);
}

static enum pons_poll
napper_poll(struct pons_future *f, struct pons_waker *w)
{
    struct napper *n = pons_container_of(f, struct napper, base);

    PONS_BEGIN(f);
    for (n->nap = 0; n->nap < n->naps; n->nap++) {
        pons_sleep_init(&n->sleep, pons_after_ms(nap_ms(n->id, n->nap)));
        PONS_AWAIT(f, w, &n->sleep);
        napper_woke(n);
    }
    PONS_END(f);
}

static const struct pons_future_ops napper_ops = {
    .size = sizeof napper_ops, .name = "napper", .poll = napper_poll};

static inline void
naps_report(struct bench_run *r, unsigned naps)
{
    struct histogram *late = histogram_new();
    uint64_t early = 0;

    bench_must(late != NULL, "memory");
    for (unsigned i = 0; i < NAPPERS; i++)
        for (unsigned k = 0; k < naps; k++) {
            int64_t ns = nappers[i].late_ns[k];

            early += ns < 0;
            histogram_record(late, ns < 0 ? 0 : (uint64_t)ns);
        }
    bench_latencies(r, late);
    bench_value(r, "early", "1", (double)early / (double)histogram_count(late));
    histogram_free(late);
}

/* Wall is that of the sleeping itself. */
static inline void
naps_run(struct bench_run *r, int stalls)
{
    struct pons_runtime *rt = bench_runtime();
    unsigned naps = bench_is_quick(r) ? NAPS_QUICK : NAPS;
    struct pons_task *tasks[NAPPERS];

    naps_ended = 0;
    bench_start(r);
    for (unsigned i = 0; i < NAPPERS; i++) {
        nappers[i] = (struct napper){.id = i, .naps = naps, .stalls = stalls};
        pons_future_init(&nappers[i].base, &napper_ops);
        bench_must(pons_spawn_future(rt, &nappers[i].base, &tasks[i]) == 0,
                   "spawn");
    }
    for (unsigned i = 0; i < NAPPERS; i++)
        bench_must(pons_join(tasks[i], NULL) == 0, "join");
    bench_stop(r, (uint64_t)NAPPERS * naps);
    naps_report(r, naps);
    pons_runtime_unref(rt);
}

#endif /* BENCH_NAPS_H */
