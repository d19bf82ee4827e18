/* SPDX-License-Identifier: MIT */
#ifndef CLI_BENCH_PROGRAM_H
#define CLI_BENCH_PROGRAM_H

/*
 * cli/bench_program.h - `pons bench --program`: any program, run with each
 * engine in turn, which the environment tells it.
 *
 * Its figures are of whole runs: "wall", "cpu", "user" and "system" in ns,
 * "switches" and "syscalls", "peak rss" in bytes. It is not pinned, and what it
 * prints goes nowhere.
 */

#include "bench_plan.h"

struct bench_program {
    char *const *argv; // the program and its arguments, NULL-terminated
    int workers;       // vary them, too; else the program has its own
    int show;          // what it prints, on stderr

    char start[4096]; // the plan's: the path of bench/program/start
};

/* Adds its rows; `o` is borrowed while they are run. -errno when said on stderr
 * what is wrong. */
int bench_program_plan(const struct bench_plan *p, struct bench_program *o,
                       struct bench_result *r);

#endif /* CLI_BENCH_PROGRAM_H */
