/* SPDX-License-Identifier: MIT */
#ifndef CLI_BENCH_TABLE_H
#define CLI_BENCH_TABLE_H

/*
 * cli/bench_table.h - the result for people: the environment, then a table for
 * each case of each workload, with what the workload says of itself below.
 */

#include <stdio.h>

#include "bench.h"

void bench_table_print(const struct bench_result *r, FILE *out);

#endif /* CLI_BENCH_TABLE_H */
