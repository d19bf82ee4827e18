/* SPDX-License-Identifier: MIT */
#ifndef CLI_BENCH_TRIAL_H
#define CLI_BENCH_TRIAL_H

/*
 * cli/bench_trial.h - one run of one program of bench/ for one row: what is
 * measured is read from its lines.
 *
 * The program gets `--workload W --case C --repeat 1` and more (bench/bench.h),
 * and the axes of its row as settings in the environment; the settings that its
 * workload does not vary with are taken out of it.
 */

#include <stdint.h>

#include "bench_child.h"

struct bench_row;
struct bench_trial;

/* What becomes of a run's figures. */
enum bench_keep {
    KEEP_NOTHING,  // a first run, to warm up
    KEEP_SYSCALLS, // it is traced, which makes all else slow: only "syscalls"
    KEEP_FIGURES,
};

/*
 * Makes one run for `row`, and adds what it keeps. 0; -EINTR: the trial's
 * `interrupt` became readable, the program is gone and nothing was added; else
 * the row has ended (SKIPPED or FAILED), with its reason.
 *
 * A KEEP_SYSCALLS run ends no row: 0, and there may be no figure; then the
 * row's `uncounted` may say why.
 */
typedef int bench_trial_f(struct bench_row *row, enum bench_keep keep);

/* How a row's trials are made. Texts are borrowed, from the catalog of programs
 * or from the words of the command. */
struct bench_trial {
    bench_trial_f *run;     // bench_trial_run, or --program's own
    const char *program;    // its path
    const char *server;     // NULL, or a path: measured with --server
    int subject;            // its program has others too: with --subject
    char *const *arguments; // --program's own, NULL-terminated; else NULL
    int show;               // --program: what it prints, on stderr
    bench_tracer_f *tracer; // for KEEP_SYSCALLS; NULL: there is none
    uint64_t limit_ns;      // a run that takes longer is killed
    int cpu;                // the one it is pinned to; -1: all
    int quick;              // --quick
    unsigned in_a_row;      // runs, the fastest of which is the figure
    int interrupt;          // a descriptor, see cli/interrupt.h; -1: none
};

/* For programs of bench/. */
bench_trial_f bench_trial_run;

#endif /* CLI_BENCH_TRIAL_H */
