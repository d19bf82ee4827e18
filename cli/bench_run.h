/* SPDX-License-Identifier: MIT */
#ifndef CLI_BENCH_RUN_H
#define CLI_BENCH_RUN_H

/*
 * cli/bench_run.h - runs the rows' trials until they say enough.
 *
 * In rounds over the rows that are still waiting, each in a new random order: a
 * minute in which the machine is busy meets all alike, and no row always
 * follows the same other one. Where the time is bounded each row has the same
 * share of it, so those whose trials are long sit rounds out. The last round
 * counts the system calls of rows that can be traced.
 */

#include "bench.h"

struct bench_run_limits {
    unsigned repeat;    // that many values of each row; 0: until it settles
    unsigned least;     // values before a row may settle
    unsigned most;      // values after which it is not going to
    int discard;        // a first run of each row, whose figures are not kept
    uint64_t budget_ns; // after which no trial is begun; UINT64_MAX: none
    int stretches;      // unless each row has an interval: nobody knows before
                        // how long a user's own program takes
    uint64_t trace_ns;  // a run that is traced and takes longer is given up
    int interrupt;      // a descriptor that ends it; -1: none
};

/* The share of the median within which an interval is to be, to settle. */
extern const double bench_run_share;

/* After it no row is waiting. Sets r->interrupted. 0, or -ENOMEM. */
int bench_run(struct bench_result *r, const struct bench_run_limits *limits);

#endif /* CLI_BENCH_RUN_H */
