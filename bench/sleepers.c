/* SPDX-License-Identifier: MIT */
/*
 * bench/sleepers.c - what an idle task occupies: resident bytes each, of tasks
 * that sleep for an hour.
 */

#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "core/atomic.h"
#include "counts.h"
#include "memory.h"
#include "runtime.h"

static unsigned asleep; // how many have begun

struct sleeper {
    struct pons_future base;
    struct pons_sleep sleep;
};

static enum pons_poll
sleeper_poll(struct pons_future *f, struct pons_waker *w)
{
    struct sleeper *s = pons_container_of(f, struct sleeper, base);

    PONS_BEGIN(f);
    (void)poni_add_relaxed(&asleep, 1);
    pons_sleep_init(&s->sleep, pons_after_ms(FAR_MS));
    PONS_AWAIT(f, w, &s->sleep);
    PONS_END(f);
}

static const struct pons_future_ops sleeper_ops = {
    .size = sizeof sleeper_ops, .name = "sleeper", .poll = sleeper_poll};

static int64_t
sleeping_fiber(void *arg)
{
    (void)arg;
    (void)poni_add_relaxed(&asleep, 1);
    return pons_sleep_until(pons_after_ms(FAR_MS));
}

/* Lets the others run until all of them sleep. */
static void
until_asleep(unsigned count)
{
    while (poni_load_relaxed(&asleep) < count)
        bench_must(pons_yield() == 0, "yield");
}

static struct sleeper *sleepers; // NULL: each is allocated as it is spawned

static int64_t
spawn_stackless(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < SLEEPERS; i++) {
        struct sleeper *s = sleepers ? &sleepers[i] : malloc(sizeof *s);

        bench_must(s != NULL, "memory");
        pons_future_init(&s->base, &sleeper_ops);
        bench_must(pons_spawn_future(NULL, &s->base, NULL) == 0, "spawn");
    }
    until_asleep(SLEEPERS);
    return 0;
}

static int64_t
spawn_fibers(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < SLEEPING_STACKS; i++)
        bench_must(pons_spawn(NULL, sleeping_fiber, NULL, NULL) == 0, "spawn");
    until_asleep(SLEEPING_STACKS);
    return 0;
}

/* The runtime ends with the process. */

static void
grow_stackless(void)
{
    bench_inside(bench_runtime(), spawn_stackless, NULL);
}

static void
grow_fibers(void)
{
    bench_inside(bench_runtime(), spawn_fibers, NULL);
}

static void
stackless(struct bench_run *r)
{
    memory_measure(r, grow_stackless, SLEEPERS);
}

/* The structs are there before, and written to. */
static void
beside_its_struct(struct bench_run *r)
{
    sleepers = malloc(SLEEPERS * sizeof *sleepers);
    bench_must(sleepers != NULL, "memory");
    memset(sleepers, 1, SLEEPERS * sizeof *sleepers);
    memory_measure(r, grow_stackless, SLEEPERS);
    free(sleepers);
    sleepers = NULL;
}

static void
fiber(struct bench_run *r)
{
    memory_measure(r, grow_fibers, SLEEPING_STACKS);
}

static const struct bench_case cases[] = {
    {.name = "stackless", .run = stackless, .cold = 1},
    {.name = "stackless, beside its struct",
     .run = beside_its_struct,
     .cold = 1},
    {.name = "fiber", .run = fiber, .cold = 1},
    {0},
};

static const struct bench_workload sleepers_workload = {
    .name = "sleepers",
    .subject = "pons",
    .measures = "memory of an idle task",
    .how = "resident bytes before and after 100,000 stackless tasks or 10,000 "
           "fibers were spawned that sleep for an hour; with the runtime, and "
           "the struct that a stackless task's user allocates for it, or "
           "without that",
    .silent = "what a fiber's stack has once it was used deeply",
    .axes = BENCH_WORKERS,
    .cases = cases,
};

int
main(int argc, char **argv)
{
    return bench_main(
        (const struct bench_workload *const[]){&sleepers_workload, NULL}, argc,
        argv);
}
