/* SPDX-License-Identifier: MIT */
#ifndef CLI_BENCH_LIST_H
#define CLI_BENCH_LIST_H

/*
 * cli/bench_list.h - `pons bench --list`: what each workload is, in its own
 * words, who else offers it, and how.
 */

#include <stdio.h>

#include "bench_catalog.h"

/* Those of `workloads`, which ends with NULL; of none: all. 0, or -errno when
 * said on stderr what is wrong. */
int bench_list_print(const struct bench_catalog *c, char *const *workloads,
                     FILE *out);

#endif /* CLI_BENCH_LIST_H */
