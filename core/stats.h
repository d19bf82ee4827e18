/* SPDX-License-Identifier: MIT */
#ifndef PONI_STATS_H
#define PONI_STATS_H

/*
 * core/stats.h - counters that are always on, and PONS_STATS.
 */

#include "runtime.h"

/* With PONS_STATS set: opens the file and starts the task that writes a line of
 * JSON to it every second. 0, or -errno with the sentence. */
int poni_stats_start(struct pons_runtime *rt);

#endif /* PONI_STATS_H */
