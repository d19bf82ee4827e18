/* SPDX-License-Identifier: MIT */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

/*
 * bench/histogram.h - a log-linear histogram with 3 significant digits, after
 * Gil Tene's HdrHistogram: every power of two is split into 1024 equal
 * buckets, so a value is known to within a thousandth of itself.
 *
 * One thread at a time; add others with histogram_merge().
 */

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct histogram;

/* Values from 0 to UINT64_MAX. NULL without memory; the caller owns it. */
struct histogram *histogram_new(void);
void histogram_free(struct histogram *h);
void histogram_clear(struct histogram *h);

void histogram_record(struct histogram *h, uint64_t value);
void histogram_merge(struct histogram *into, const struct histogram *from);

uint64_t histogram_count(const struct histogram *h);
uint64_t histogram_min(const struct histogram *h); /* exact; 0 when empty */
uint64_t histogram_max(const struct histogram *h); /* exact; 0 when empty */

/* The smallest value that a share q (0 to 1) of all values does not exceed, to
 * within a thousandth above it, never above the maximum; 0 when empty. */
uint64_t histogram_quantile(const struct histogram *h, double q);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_HISTOGRAM_H */
