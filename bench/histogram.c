/* SPDX-License-Identifier: MIT */
/*
 * bench/histogram.c - see bench/histogram.h.
 *
 * Values below 2048 have a bucket each. Above, the value's top 11 bits choose:
 * its highest set bit the row, the ten below it the bucket in the row.
 */

#include "histogram.h"

#include <stdlib.h>
#include <string.h>

enum {
    BITS = 10, // 2 ^ -10 is below a thousandth: three digits
    ROW = 1 << BITS,
    ROWS = 64 - BITS + 1,
    BUCKETS = ROWS * ROW,
};

struct histogram {
    uint64_t count, min, max;
    uint64_t buckets[BUCKETS];
};

static unsigned
bucket_of(uint64_t value)
{
    unsigned shift;

    if (value < 2 * ROW)
        return (unsigned)value;
    shift = 63 - (unsigned)__builtin_clzll(value) - BITS;
    return shift * ROW + (unsigned)(value >> shift);
}

/* The greatest value that falls into it. */
static uint64_t
bucket_top(unsigned bucket)
{
    unsigned shift;

    if (bucket < 2 * ROW)
        return bucket;
    shift = bucket / ROW - 1;
    return (((uint64_t)bucket - shift * ROW) << shift) +
           (((uint64_t)1 << shift) - 1);
}

struct histogram *
histogram_new(void)
{
    return calloc(1, sizeof(struct histogram));
}

void
histogram_free(struct histogram *h)
{
    free(h);
}

void
histogram_clear(struct histogram *h)
{
    memset(h, 0, sizeof *h);
}

void
histogram_record(struct histogram *h, uint64_t value)
{
    if (h->count == 0 || value < h->min)
        h->min = value;
    if (value > h->max)
        h->max = value;
    h->count++;
    h->buckets[bucket_of(value)]++;
}

void
histogram_merge(struct histogram *into, const struct histogram *from)
{
    if (from->count == 0)
        return;
    if (into->count == 0 || from->min < into->min)
        into->min = from->min;
    if (from->max > into->max)
        into->max = from->max;
    into->count += from->count;
    for (unsigned i = 0; i < BUCKETS; i++)
        into->buckets[i] += from->buckets[i];
}

uint64_t
histogram_count(const struct histogram *h)
{
    return h->count;
}

uint64_t
histogram_min(const struct histogram *h)
{
    return h->min;
}

uint64_t
histogram_max(const struct histogram *h)
{
    return h->max;
}

/* How many values have to be at or below the quantile: at least one. */
static uint64_t
rank_of(const struct histogram *h, double q)
{
    double exact = q * (double)h->count;
    uint64_t rank;

    if (!(exact > 1))
        return 1;
    if (exact >= (double)h->count)
        return h->count;
    rank = (uint64_t)exact;
    return (double)rank < exact ? rank + 1 : rank;
}

uint64_t
histogram_quantile(const struct histogram *h, double q)
{
    uint64_t rank, seen = 0;

    if (h->count == 0)
        return 0;
    rank = rank_of(h, q);
    for (unsigned i = 0; i < BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen >= rank)
            return bucket_top(i) < h->max ? bucket_top(i) : h->max;
    }
    return h->max;
}
