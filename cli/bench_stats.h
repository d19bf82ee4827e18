/* SPDX-License-Identifier: MIT */
#ifndef CLI_BENCH_STATS_H
#define CLI_BENCH_STATS_H

/*
 * cli/bench_stats.h - what a few values say: their median, and where the median
 * of all the values that there could be lies with 95 % confidence.
 *
 * The interval is that of order statistics: it supposes nothing of how values
 * are spread. Fewer than six cannot say it; then it is all that was seen, and
 * `enough` is 0.
 */

#include <stddef.h>

enum { STATS_ENOUGH = 6 }; // 2 * 2^-6 is below 5 %, 2 * 2^-5 is not

struct bench_stats {
    size_t count;
    double median, low, high; // low and high: the interval
    double min, max;
    int enough;
};

/* Of no values: zeroes. The values are not moved. 0, or -ENOMEM. */
int bench_stats_of(struct bench_stats *s, const double *values, size_t count);

/*
 * The rank, from 1, of the value (in order) that begins the interval; it ends
 * as many from the last. The largest for which fewer than that many of `count`
 * values fall below the median in at most 2.5 % of all cases; 0: there is none.
 */
size_t bench_stats_rank(size_t count);

/* Whether both ends are within `share` of the median. */
int bench_stats_within(const struct bench_stats *s, double share);

/* What `b` is beside `a`, beyond noise: 1 greater, -1 less, 0 no telling. */
int bench_stats_compare(const struct bench_stats *a,
                        const struct bench_stats *b);

#endif /* CLI_BENCH_STATS_H */
