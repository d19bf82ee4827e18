/* SPDX-License-Identifier: MIT */
#ifndef CLI_BENCH_JSON_H
#define CLI_BENCH_JSON_H

/*
 * cli/bench_json.h - the result for machines, and for --baseline later:
 *
 *     {"environment": {"kernel": "...", ...}, "quick": false,
 *      "interrupted": false,
 *      "workloads": [{"workload": "yield", "subject": "pons", "kind": "ours",
 *                     "measures": "...", "how": "...", "silent": "..."}],
 *      "figures": [
 *        {KEY, "metric": "wall", "unit": "ns", "values": [19.8, ...],
 *         "median": 19.8, "low": 19.7, "high": 20.1, "main": true,
 *         "settled": true},
 *        {KEY, "skipped": "reason"}, {KEY, "failed": "reason"},
 *        {KEY, "unmeasured": "the time was up"},
 *        {KEY, "uncounted": "why it has no system calls"}]}
 *
 * In "workloads" is what each subject says of each; "kind" is "ours", "floor"
 * or "peer". KEY is "workload", "case", "subject", "reactor", "pool" and
 * "workers"; an axis that the subject does not vary with is "". "main" is what
 * the row is about and settles by; "settled" is the row's: the interval of that
 * is narrow. "low" and "high" are the 95 % interval of the median, or all that
 * was seen where values are too few. "fastest of": 5 stands where each value is
 * that of the fastest of so many runs in a row.
 */

#include <stdio.h>

#include "bench.h"

/* 0 or -errno. */
int bench_json_write(const struct bench_result *r, FILE *out);

#endif /* CLI_BENCH_JSON_H */
