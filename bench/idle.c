/* SPDX-License-Identifier: MIT */
/*
 * bench/idle.c - whether an idle runtime is free: context switches of all its
 * threads while nothing happens.
 */

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "bench.h"
#include "runtime.h"

enum { IDLE_MS = 5000, IDLE_QUICK_MS = 50, SETTLE_MS = 50 };

/* Context switches of one thread so far. */
static double
thread_switches(const char *id)
{
    char path[300], line[200];
    double sum = 0;
    unsigned long n;
    FILE *f;

    snprintf(path, sizeof path, "/proc/self/task/%s/status", id);
    f = fopen(path, "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "voluntary_ctxt_switches: %lu", &n) == 1 ||
            sscanf(line, "nonvoluntary_ctxt_switches: %lu", &n) == 1)
            sum += (double)n;
    if (f != NULL)
        fclose(f);
    return sum;
}

/* Of all threads but the main one, which is the one that measures. */
static double
switches(void)
{
    DIR *dir = opendir("/proc/self/task");
    struct dirent *e;
    double sum = 0;

    bench_must(dir != NULL, "/proc/self/task");
    while ((e = readdir(dir)) != NULL)
        if (e->d_name[0] != '.' && atoi(e->d_name) != getpid())
            sum += thread_switches(e->d_name);
    closedir(dir);
    return sum;
}

static void
four_workers(struct bench_run *r)
{
    const struct pons_settings settings = {.size = sizeof settings,
                                           .workers = "4"};
    struct pons_runtime *rt;
    int err = pons_runtime_new(&rt, &settings);
    double before;

    bench_must(err == 0, pons_last_error());
    (void)poll(NULL, 0, SETTLE_MS); // they have looked for work, and lie down
    before = switches();
    (void)poll(NULL, 0, bench_is_quick(r) ? IDLE_QUICK_MS : IDLE_MS);
    bench_value(r, "switches", "1", switches() - before);
    pons_runtime_unref(rt);
}

static const struct bench_case cases[] = {
    {.name = "4 workers", .run = four_workers, .cold = 1},
    {0},
};

static const struct bench_workload idle_workload = {
    .name = "idle",
    .subject = "pons",
    .measures = "what an idle runtime does",
    .how = "context switches of all threads of 4 workers over 5 seconds "
           "without a task; --quick looks for 50 ms",
    .silent = "the memory it occupies",
    .axes = BENCH_REACTOR,
    .cases = cases,
};

int
main(int argc, char **argv)
{
    return bench_main(
        (const struct bench_workload *const[]){&idle_workload, NULL}, argc,
        argv);
}
