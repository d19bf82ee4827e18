/* SPDX-License-Identifier: MIT */
/*
 * bench/blocking_throughput.c - a blocking call where many are on their way.
 */

#include "bench.h"
#include "counts.h"
#include "runtime.h"

struct submitter {
    struct pons_future base;
    uint64_t rounds;
    unsigned i;
    enum pons_poll first[AT_ONCE]; // what a call's first poll answered
    struct pons_blocking calls[AT_ONCE];
};

static int64_t
nothing(void *arg)
{
    (void)arg;
    return 1;
}

/* A first poll submits; what ended in it is not to be polled again. */
static enum pons_poll
submitter_poll(struct pons_future *f, struct pons_waker *w)
{
    struct submitter *s = pons_container_of(f, struct submitter, base);

    PONS_BEGIN(f);
    for (; s->rounds > 0; s->rounds--) {
        for (s->i = 0; s->i < AT_ONCE; s->i++) {
            pons_blocking_init(&s->calls[s->i], NULL, nothing, NULL);
            s->first[s->i] = pons_future_poll(&s->calls[s->i].base, w);
        }
        for (s->i = 0; s->i < AT_ONCE; s->i++) {
            if (s->first[s->i] == PONS_PENDING)
                PONS_AWAIT(f, w, &s->calls[s->i]);
            bench_must(s->calls[s->i].base.result == 1, "a job");
        }
    }
    PONS_END(f);
}

static const struct pons_future_ops submitter_ops = {
    .size = sizeof submitter_ops, .name = "submitter", .poll = submitter_poll};

static struct submitter submitters[SUBMITTERS_MAX];

static void
submit(struct bench_run *r, unsigned count)
{
    struct pons_runtime *rt = bench_runtime();
    uint64_t each = bench_ops(r, AT_ONCE_ROUNDS) / count + 1;
    struct pons_task *tasks[SUBMITTERS_MAX];

    bench_start(r);
    for (unsigned i = 0; i < count; i++) {
        submitters[i].rounds = each;
        pons_future_init(&submitters[i].base, &submitter_ops);
        bench_must(pons_spawn_future(rt, &submitters[i].base, &tasks[i]) == 0,
                   "spawn");
    }
    for (unsigned i = 0; i < count; i++)
        bench_must(pons_join(tasks[i], NULL) == 0, "join");
    bench_stop(r, count * each * AT_ONCE);
    pons_runtime_unref(rt);
}

static void
one(struct bench_run *r)
{
    submit(r, 1);
}

static void
four(struct bench_run *r)
{
    submit(r, 4);
}

static void
sixteen(struct bench_run *r)
{
    submit(r, 16);
}

static const struct bench_case cases[] = {
    {.name = "1 submitter", .run = one},
    {.name = "4 submitters", .run = four},
    {.name = "16 submitters", .run = sixteen},
    {0},
};

static const struct bench_workload blocking_throughput_workload = {
    .name = "blocking_throughput",
    .subject = "pons",
    .measures = "a blocking call where many are on their way",
    .how = "1, 4 or 16 stackless tasks submit 256 empty jobs each at once, "
           "then await all of them, over and over",
    .silent = "what a single one takes; jobs that do block",
    .axes = BENCH_REACTOR | BENCH_POOL | BENCH_WORKERS,
    .cases = cases,
    .spread = 1,
};

int
main(int argc, char **argv)
{
    return bench_main(
        (const struct bench_workload *const[]){&blocking_throughput_workload,
                                               NULL},
        argc, argv);
}
