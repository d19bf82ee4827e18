/* SPDX-License-Identifier: MIT */
/*
 * bench/sleepers.c - what an idle task occupies: resident bytes each, of tasks
 * that sleep for ever, and context switches of an idle runtime.
 *
 *   stackless   beside the task's own struct, which is the user's
 *   fiber       all of it
 *   idle        context switches of all threads of 4 workers over 5 seconds
 */

#include <pons/pons.h>

#include <dirent.h>
#include <poll.h>
#include <unistd.h>

#include "series.h"

enum { STACKLESS = 100000, FIBERS = 10000, IDLE_MS = 5000 };

static int asleep; // how many have begun: one worker, so no atomics

struct sleeper {
    struct pons_future base;
    struct pons_sleep sleep;
};

static enum pons_poll
sleeper_poll(struct pons_future *f, struct pons_waker *w)
{
    struct sleeper *s = pons_container_of(f, struct sleeper, base);

    PONS_BEGIN(f);
    asleep++;
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
    asleep++;
    return pons_sleep_until(PONS_NEVER);
}

static double
resident(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    unsigned long size = 0, pages = 0;

    bench_must(f != NULL && fscanf(f, "%lu %lu", &size, &pages) == 2, "statm");
    fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* Lets the others run until all of them sleep. */
static void
until_asleep(int count)
{
    while (asleep < count)
        bench_must(pons_yield() == 0, "yield");
    asleep = 0;
}

static int64_t
spawn_stackless(void *arg)
{
    struct sleeper *all = arg;

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
bytes_each(pons_fiber_f *spawn, void *arg, int count)
{
    const struct pons_settings settings = {.size = sizeof settings,
                                           .workers = "1"};
    struct pons_runtime *rt;
    struct pons_task *t;
    double before, after;

    bench_must(pons_runtime_new(&rt, &settings) == 0, pons_last_error());
    before = resident();
    bench_must(pons_spawn(rt, spawn, arg, &t) == 0 && pons_join(t, NULL) == 0,
               "spawn");
    after = resident();
    pons_runtime_unref(rt);
    return (after - before) / count;
}

static double
switches(void)
{
    DIR *dir = opendir("/proc/self/task");
    struct dirent *e;
    double sum = 0;

    bench_must(dir != NULL, "/proc/self/task");
    while ((e = readdir(dir)) != NULL) {
        char path[300], line[200];
        unsigned long n;
        FILE *f;

        if (e->d_name[0] == '.' || atoi(e->d_name) == getpid())
            continue; // the main thread is the one that measures
        snprintf(path, sizeof path, "/proc/self/task/%s/status", e->d_name);
        f = fopen(path, "r");
        while (f != NULL && fgets(line, sizeof line, f) != NULL)
            if (sscanf(line, "voluntary_ctxt_switches: %lu", &n) == 1 ||
                sscanf(line, "nonvoluntary_ctxt_switches: %lu", &n) == 1)
                sum += (double)n;
        if (f != NULL)
            fclose(f);
    }
    closedir(dir);
    return sum;
}

static double
idle_switches(void)
{
    const struct pons_settings settings = {.size = sizeof settings,
                                           .workers = "4"};
    struct pons_runtime *rt;
    double before, after;

    bench_must(pons_runtime_new(&rt, &settings) == 0, pons_last_error());
    (void)poll(NULL, 0, 200); // they have looked for work, and lie down
    before = switches();
    (void)poll(NULL, 0, IDLE_MS);
    after = switches();
    pons_runtime_unref(rt);
    return after - before;
}

int
main(int argc, char **argv)
{
    static struct bench_series stackless = {"sleepers", "stackless", "memory",
                                            "B",        {0},         0};
    static struct bench_series fiber = {"sleepers", "fiber", "memory",
                                        "B",        {0},     0};
    static struct bench_series idle = {"idle",  "4 workers", "switches",
                                       "count", {0},         0};
    unsigned repeat = bench_repeat(argc, argv);
    struct sleeper *all = calloc(STACKLESS, sizeof *all);

    bench_must(all != NULL, "calloc");
    memset(all, 1, STACKLESS * sizeof *all); // resident before it is measured
    for (unsigned r = 0; r < repeat; r++) {
        bench_add(&stackless, bytes_each(spawn_stackless, all, STACKLESS));
        bench_add(&fiber, bytes_each(spawn_fibers, NULL, FIBERS));
        bench_add(&idle, idle_switches());
    }
    free(all);
    bench_print(&stackless);
    bench_print(&fiber);
    bench_print(&idle);
    return 0;
}
