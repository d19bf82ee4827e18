/* SPDX-License-Identifier: MIT */
#ifndef CLI_BENCH_CHOICE_H
#define CLI_BENCH_CHOICE_H

/*
 * cli/bench_choice.h - what --reactor, --pool and --workers choose: for each
 * axis the values that rows are made of, each usable or with its reason.
 */

#include "bench.h"

struct bench_value {
    char *text;   // as in PONS_REACTOR, PONS_POOL or PONS_WORKERS
    char *reason; // why it cannot be used here; NULL: it can
};

struct bench_choice {
    struct bench_value *values[AXES];
    size_t count[AXES]; // at least 1
};

/*
 * `words` are lists separated by commas, or NULL for the defaults: the reactors
 * that there are but null, the pool elastic, one worker; "all" is every engine.
 * Each is tried. -errno when said on stderr what is wrong: a name, an option, a
 * count.
 */
int bench_choice_read(struct bench_choice *out, const char *const words[AXES]);
void bench_choice_fini(struct bench_choice *c);

/* "PONS_REACTOR", "PONS_POOL", "PONS_WORKERS". */
const char *bench_axis_variable(enum bench_axis axis);

#endif /* CLI_BENCH_CHOICE_H */
