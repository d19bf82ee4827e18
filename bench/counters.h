/* SPDX-License-Identifier: MIT */
#ifndef BENCH_COUNTERS_H
#define BENCH_COUNTERS_H

/*
 * bench/counters.h - what the kernel counts of another process while it runs,
 * by perf_event_open(2): its system calls, or the share of its processor time
 * that it spent in user space.
 *
 * Next to ptrace a count costs nothing, so a server under load takes as much at
 * once as it otherwise does; and where the kernel's own split of user and
 * system time is one sample in 4 to 10 ms, this is one in 0.1 ms. Both change
 * the times of what is counted by some per cent: bench/bench.h, --count.
 *
 *     c = counters_start(pid, BENCH_COUNT_CALLS, why, sizeof why);
 *     if (!c)
 *         ...                       // it cannot be counted here: `why`
 *     ...                           // load
 *     calls = counters_stop(c);
 *
 * The threads that are there at the start are counted, of system calls also
 * those that they make.
 */

#include <stddef.h>
#include <sys/types.h>

#include "bench.h"

struct counters;

/* NULL, and the reason: the caller's user may not, or the kernel cannot. */
struct counters *counters_start(pid_t pid, enum bench_count what, char *why,
                                size_t size);

/* How many calls there were; or which part of the time was user space's, 0 to
 * 1. Consumes `c`. */
double counters_stop(struct counters *c);

#endif /* BENCH_COUNTERS_H */
