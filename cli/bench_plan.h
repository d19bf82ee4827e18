/* SPDX-License-Identifier: MIT */
#ifndef CLI_BENCH_PLAN_H
#define CLI_BENCH_PLAN_H

/*
 * cli/bench_plan.h - which rows there are to be: the workloads asked for, by
 * case; in each the subjects, our own first.
 */

#include "bench.h"
#include "bench_catalog.h"
#include "bench_choice.h"

struct bench_plan {
    const struct bench_catalog *catalog;
    const struct bench_choice *choice;
    char *const *workloads;   // NULL-terminated; none: all
    const char *peers;        // "NAME,...", "all" or NULL
    int limits;               // the floors too
    struct bench_trial trial; // what all trials have in common
};

/* Adds them. -errno when said on stderr what is wrong: a name that there is
 * not, nothing to run. */
int bench_plan_rows(const struct bench_plan *p, struct bench_result *r);

/*
 * Adds one row to `r` for each reactor, pool and number of workers that the
 * axes in `axes` (bits 1 << AXIS_REACTOR ...) are given by `c`: `key` with
 * those set. Those that cannot be used are SKIPPED. The trial is `t`, pinned to
 * its processor, if it has one, where the row has at most one worker.
 */
int bench_plan_vary(struct bench_result *r, const struct bench_key *key,
                    unsigned axes, const struct bench_choice *c,
                    const struct bench_trial *t);

#endif /* CLI_BENCH_PLAN_H */
