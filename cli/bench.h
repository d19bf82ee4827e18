/* SPDX-License-Identifier: MIT */
#ifndef CLI_BENCH_H
#define CLI_BENCH_H

/*
 * cli/bench.h - what `pons bench` knows: rows, each one subject's way through
 * one case of one workload, and the figures that its trials gave.
 *
 *     result
 *       environment       cli/bench_environment.h
 *       rows              in the order of the table
 *         key             workload, case, subject, reactor, pool, workers
 *         outcome         a state, and the reason where there are no figures
 *         figures         metric, unit, one value per trial
 *
 * The key of a figure, here and in files, is its row's key and its metric. For
 * our own programs the subject is "pons" and the axes that the workload has are
 * texts; an axis that it does not have, and every axis of most peers and
 * floors, is "". So two rows have equal keys only if they are the same row.
 *
 * One thread. Every text in here is owned by what holds it.
 */

#include <stddef.h>
#include <stdint.h>

#include "bench_about.h"
#include "bench_trial.h"

/* One metric of one row; a value per trial, in the order of the trials. */
struct bench_figure {
    char *metric; // "wall", "user", "p99.9", ...; see bench/bench.h
    char *unit;   // "ns", "B", "1", ...: of one operation
    double *values;
    size_t count, room;
};

enum bench_axis { AXIS_REACTOR, AXIS_POOL, AXIS_WORKERS, AXES };

struct bench_key {
    char *workload, *case_name, *subject;
    char *axis[AXES]; // "" where the subject does not vary with it
};

/*
 *   WAITING --trials--> SETTLED    its interval is as narrow as asked
 *      |      |  `----> WIDE       it is not; there may be no figures
 *      |      `-------> FAILED     a trial went wrong; figures before it
 *      `--------------> SKIPPED    it cannot run here; no figures
 *
 * by cli/bench_run.c and the trials; the plan, too, skips rows.
 */
enum bench_state {
    ROW_WAITING,
    ROW_SETTLED,
    ROW_WIDE, // the time was up, or all the trials that were wanted made
    ROW_SKIPPED,
    ROW_FAILED,
};

struct bench_row {
    struct bench_key key;
    const char *main; // the metric it is about, borrowed; NULL: the usual one
    enum bench_state state;
    char *reason;                 // for SKIPPED and FAILED: why; else NULL
    char *uncounted;              // why its system calls are not; else NULL
    struct bench_figure *figures; // see bench_row_main()
    size_t figure_count;

    struct bench_trial trial; // how one more value of each is had
    uint64_t trial_ns;        // how long the last one took, from outside
};

struct bench_environment;

struct bench_result {
    struct bench_environment *environment; // owned; NULL until looked at
    struct bench_about *abouts;
    size_t about_count;
    struct bench_row *rows; // those of one workload and case side by side
    size_t row_count;
    int quick;
    int interrupted;
};

/* All of these: NULL or -ENOMEM without memory. */

void bench_result_fini(struct bench_result *r);

/*
 * A new row, WAITING, whose key is a copy of `key`; the next call moves it. Of
 * its trial nothing is set.
 */
struct bench_row *bench_row_add(struct bench_result *r,
                                const struct bench_key *key);

/* The row's state becomes `state`, with the reason. */
__attribute__((format(printf, 3, 4))) void bench_row_end(struct bench_row *row,
                                                         enum bench_state state,
                                                         const char *format,
                                                         ...);

/* One more value; the figure is made when there is none of that metric. */
int bench_row_value(struct bench_row *row, const char *metric, const char *unit,
                    double value);

/* NULL: the row has no such figure. */
const struct bench_figure *bench_row_figure(const struct bench_row *row,
                                            const char *metric);

/* What the row is about and settles by: what its case says, "server cpu" (its
 * wall is as much the client's), "wall", or else its first. NULL: it has none.
 */
const struct bench_figure *bench_row_main(const struct bench_row *row);

/* "pons epoll elastic 1 worker": the subject and its axes, in few words. */
void bench_key_write(const struct bench_key *key, char *text, size_t size);

/* Adds a copy, unless what that subject says of the workload is known. */
int bench_about_add(struct bench_result *r, const struct bench_about *about);

#endif /* CLI_BENCH_H */
