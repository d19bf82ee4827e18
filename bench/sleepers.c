/* SPDX-License-Identifier: MIT */
/*
 * bench/sleepers.c - what an idle task occupies: resident bytes each, of tasks
 * that sleep for ever.
 */

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "core/atomic.h"
#include "runtime.h"

enum { STACKLESS = 100000, FIBERS = 10000 };

static int asleep; // how many have begun

struct sleeper {
    struct pons_future base;
    struct pons_sleep sleep;
};

static struct sleeper all[STACKLESS];

static enum pons_poll
sleeper_poll(struct pons_future *f, struct pons_waker *w)
{
    struct sleeper *s = pons_container_of(f, struct sleeper, base);

    PONS_BEGIN(f);
    (void)poni_add_relaxed(&asleep, 1);
    pons_sleep_init(&s->sleep, PONS_NEVER);
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
    return pons_sleep_until(PONS_NEVER);
}

static double
resident(void)
{
    FILE *f = fopen("/proc/self/statm", "re");
    unsigned long pages = 0;

    bench_must(f != NULL && fscanf(f, "%*u %lu", &pages) == 1, "statm");
    fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* Lets the others run until all of them sleep. */
static void
until_asleep(int count)
{
    while (poni_load_relaxed(&asleep) < count)
        bench_must(pons_yield() == 0, "yield");
    poni_store_relaxed(&asleep, 0);
}

static int64_t
spawn_stackless(void *arg)
{
    (void)arg;
    for (int i = 0; i < STACKLESS; i++) {
        pons_future_init(&all[i].base, &sleeper_ops);
        bench_must(pons_spawn_future(NULL, &all[i].base, NULL) == 0, "spawn");
    }
    until_asleep(STACKLESS);
    return 0;
}

static int64_t
spawn_fibers(void *arg)
{
    (void)arg;
    for (int i = 0; i < FIBERS; i++)
        bench_must(pons_spawn(NULL, sleeping_fiber, NULL, NULL) == 0, "spawn");
    until_asleep(FIBERS);
    return 0;
}

static double
bytes_each(pons_fiber_f *spawn, int count)
{
    struct pons_runtime *rt = bench_runtime();
    double before, after;

    memset(all, 1, sizeof all); // the user's; resident before it is measured
    before = resident();
    bench_inside(rt, spawn, NULL);
    after = resident();
    pons_runtime_unref(rt);
    return (after - before) / count;
}

/* In a process of its own: stacks that an earlier run left would be taken for
 * free. */
static void
measure(struct bench_run *r, pons_fiber_f *spawn, int count)
{
    double bytes = 0;
    int fds[2], status;
    pid_t child;

    bench_must(pipe(fds) == 0, "pipe");
    child = fork();
    bench_must(child >= 0, "fork");
    if (child == 0) {
        bytes = bytes_each(spawn, count);
        bench_must(write(fds[1], &bytes, sizeof bytes) == sizeof bytes, "pipe");
        _exit(0);
    }
    close(fds[1]);
    bench_must(read(fds[0], &bytes, sizeof bytes) == sizeof bytes, "the child");
    close(fds[0]);
    bench_must(waitpid(child, &status, 0) == child && status == 0, "the child");
    bench_value(r, "memory", "B", bytes);
}

static void
stackless(struct bench_run *r)
{
    measure(r, spawn_stackless, STACKLESS);
}

static void
fiber(struct bench_run *r)
{
    measure(r, spawn_fibers, FIBERS);
}

static const struct bench_case cases[] = {
    {.name = "stackless", .run = stackless, .cold = 1},
    {.name = "fiber", .run = fiber, .cold = 1},
    {0},
};

static const struct bench_workload sleepers_workload = {
    .name = "sleepers",
    .subject = "pons",
    .measures = "memory of an idle task",
    .how = "resident bytes before and after 100,000 stackless tasks or 10,000 "
           "fibers were spawned that sleep for ever; a stackless task's own "
           "struct is its user's and not counted",
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
