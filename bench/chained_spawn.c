/* SPDX-License-Identifier: MIT */
/*
 * bench/chained_spawn.c - a task spawns the next and ends, 1000 deep: how soon
 * a task that was just spawned runs.
 */

#include "bench.h"
#include "counts.h"
#include "gate.h"
#include "runtime.h"

struct link {
    struct pons_future base;
    uint32_t number;
};

static struct link links[TASKS];
static struct gate gate;

static void
link_spawn(uint32_t number, const struct pons_future_ops *ops)
{
    struct link *l = &links[number];

    l->number = number;
    pons_future_init(&l->base, ops);
    bench_must(pons_spawn_future(NULL, &l->base, NULL) == 0, "spawn");
}

static enum pons_poll
link_poll(struct pons_future *f, struct pons_waker *w)
{
    struct link *l = pons_container_of(f, struct link, base);

    (void)w;
    if (l->number + 1 < TASKS)
        link_spawn(l->number + 1, f->ops);
    f->result = 0;
    return PONS_READY;
}

static void
link_drop(struct pons_future *f)
{
    (void)f;
    gate_arrive(&gate);
}

static const struct pons_future_ops link_ops = {.size = sizeof link_ops,
                                                .name = "link",
                                                .poll = link_poll,
                                                .drop = link_drop};

static int64_t
run_chain(void *arg)
{
    struct bench_run *r = arg;
    uint64_t rounds = bench_ops(r, CHAINS);

    bench_start(r);
    for (uint64_t i = 0; i < rounds; i++) {
        gate_shut(&gate, TASKS);
        link_spawn(0, &link_ops);
        bench_must(pons_await(&gate.cell.base) == 0, "the last task");
    }
    bench_stop(r, rounds * TASKS);
    return 0;
}

static void
chain(struct bench_run *r)
{
    struct pons_runtime *rt = bench_runtime();

    bench_inside(rt, run_chain, r);
    pons_runtime_unref(rt);
}

static const struct bench_case cases[] = {
    {.name = "chain", .run = chain, .brief = 1},
    {0},
};

static const struct bench_workload chained_spawn_workload = {
    .name = "chained_spawn",
    .subject = "pons",
    .measures = "spawning a task that is the only one ready",
    .how = "an empty stackless task spawns the next and ends, 1000 deep; a "
           "fiber waits for the last",
    .silent = "many tasks at once; joining",
    .axes = BENCH_WORKERS,
    .cases = cases,
};

int
main(int argc, char **argv)
{
    return bench_main(
        (const struct bench_workload *const[]){&chained_spawn_workload, NULL},
        argc, argv);
}
