/* SPDX-License-Identifier: MIT */
/*
 * cli/bench_stats.c - see cli/bench_stats.h.
 *
 * Of n values each is below the true median as a coin falls; so how many are is
 * binomial, and the chance that the k-th smallest is above it is that of fewer
 * than k heads.
 */

#include "bench_stats.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double STATS_TAIL = 0.025; // on each side: 95 % between

static int
stats_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

size_t
bench_stats_rank(size_t count)
{
    /* The logarithm of the chance of k heads: 2^-n itself is 0 at n = 1075. */
    double n = (double)count, heads = -n * log(2), fewer = 0;
    size_t k = 0;

    while (k < count) {
        fewer += exp(heads);
        if (fewer > STATS_TAIL)
            return k;
        heads += log((n - (double)k) / (double)(k + 1));
        k++;
    }
    return 0; // there are no values
}

static double
stats_middle(const double *sorted, size_t count)
{
    if (count % 2)
        return sorted[count / 2];
    return sorted[count / 2 - 1] +
           (sorted[count / 2] - sorted[count / 2 - 1]) / 2;
}

int
bench_stats_of(struct bench_stats *s, const double *values, size_t count)
{
    size_t rank = bench_stats_rank(count);
    double *sorted;

    *s = (struct bench_stats){.count = count};
    if (count == 0)
        return 0;
    sorted = malloc(count * sizeof *sorted);
    if (!sorted)
        return -ENOMEM;
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, stats_order);
    s->enough = rank > 0;
    if (rank == 0)
        rank = 1;
    s->median = stats_middle(sorted, count);
    s->low = sorted[rank - 1];
    s->high = sorted[count - rank];
    s->min = sorted[0];
    s->max = sorted[count - 1];
    free(sorted);
    return 0;
}

int
bench_stats_within(const struct bench_stats *s, double share)
{
    double width = share * fabs(s->median);

    return s->enough && s->high - s->median <= width &&
           s->median - s->low <= width;
}

int
bench_stats_compare(const struct bench_stats *a, const struct bench_stats *b)
{
    if (!a->enough || !b->enough)
        return 0;
    return (b->low > a->high) - (b->high < a->low);
}
