/* SPDX-License-Identifier: MIT */
/*
 * bench/stalls.c - what a task that blocks its worker does to the others.
 */

#include "naps.h"

static void
one_percent(struct bench_run *r)
{
    naps_run(r, 1);
}

static const struct bench_case cases[] = {
    {.name = "1% block", .run = one_percent, .main = "p99"},
    {0},
};

static const struct bench_workload stalls_workload = {
    .name = "stalls",
    .subject = "pons",
    .measures = "how late tasks wake while others block their worker",
    .how = "100 stackless tasks sleep 1 to 10 ms, over and over; one in 100 "
           "wakes is followed by 1 ms in nanosleep(2); p50 to max are how long "
           "past its deadline a sleep ends",
    .silent = "blocks that last; wall, which is the sleeping itself",
    .axes = BENCH_REACTOR | BENCH_WORKERS,
    .cases = cases,
};

int
main(int argc, char **argv)
{
    return bench_main(
        (const struct bench_workload *const[]){&stalls_workload, NULL}, argc,
        argv);
}
