/* SPDX-License-Identifier: MIT */
#ifndef CLI_BENCH_BASELINE_H
#define CLI_BENCH_BASELINE_H

/*
 * cli/bench_baseline.h - a result beside an earlier one (cli/bench_json.h):
 * what has become better or worse.
 *
 * A figure has become worse when all three hold:
 *
 *     the 95 % intervals of the two medians do not meet;
 *     the medians differ by more than a tenth of the earlier one: two runs of
 *     the same program differ by some percent, for machines have moods;
 *     and by more than its unit can mean: 1 ns, 1 byte, 0.01 of what is counted
 *     per operation, for a tenth of nearly nothing is nothing.
 *
 * Likewise better. Less is better, but for units "per second" (1/s, B/s). Not
 * compared: "ops", which is no figure, and "max", one event of each run. A row
 * that had figures and now fails has become worse; one that is skipped is
 * missing.
 */

#include <stdio.h>

#include "bench.h"

struct bench_baseline;

/* -errno when said on stderr what is wrong: no such file, not a result, nothing
 * in it that could be compared with. */
int bench_baseline_open(struct bench_baseline **out, const char *path);
void bench_baseline_close(struct bench_baseline *b);

/* Prints what differs, and how much was compared. How many are worse; -ENOMEM;
 * -ENODATA when said on stderr that nothing was compared, and why. */
int bench_baseline_compare(const struct bench_baseline *b,
                           const struct bench_result *r, FILE *out);

#endif /* CLI_BENCH_BASELINE_H */
