/* SPDX-License-Identifier: MIT */
#ifndef CLI_BENCH_LIST_H
#define CLI_BENCH_LIST_H

/*
 * cli/bench_list.h - `pons bench --list`: what each workload is, in its own
 * words, and who offers it.
 */

#include <stdio.h>

#include "bench_catalog.h"

/* 0, or -ENOMEM. */
int bench_list_print(const struct bench_catalog *c, FILE *out);

#endif /* CLI_BENCH_LIST_H */
