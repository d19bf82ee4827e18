/* SPDX-License-Identifier: MIT */
/*
 * tests/histogram_test.c - quantiles of the histogram beside exact ones: those
 * of the same values, sorted.
 */

#include "bench/histogram.h"
#include "unit.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { VALUES = 20000 };

static const double quantiles[] = {0,   0.0001, 0.01,  0.25,   0.5,      0.75,
                                   0.9, 0.99,   0.999, 0.9999, 0.999999, 1};

/* splitmix64, seeded: the same values each time. */
static uint64_t
next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static struct histogram *
made(void)
{
    struct histogram *h = histogram_new();

    CHECK(h != NULL);
    return h;
}

static int
order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* The smallest that a share q does not exceed. `sorted` is. */
static uint64_t
exact(const uint64_t *sorted, size_t count, double q)
{
    double rank = ceil(q * (double)count);

    return sorted[rank < 1 ? 0 : (size_t)rank - 1];
}

/* Never below the exact one, and at most a thousandth above. */
static void
check_quantiles(const struct histogram *h, uint64_t *values, size_t count)
{
    qsort(values, count, sizeof *values, order);
    CHECK(histogram_count(h) == count);
    CHECK(histogram_min(h) == values[0]);
    CHECK(histogram_max(h) == values[count - 1]);
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++) {
        uint64_t is = histogram_quantile(h, quantiles[i]);
        uint64_t was = exact(values, count, quantiles[i]);

        CHECK(is >= was);
        CHECK(is - was <= was / 1000);
        CHECK(is <= values[count - 1]);
    }
}

static void
check_all(uint64_t *values, size_t count)
{
    struct histogram *h = made();

    for (size_t i = 0; i < count; i++)
        histogram_record(h, values[i]);
    check_quantiles(h, values, count);
    histogram_free(h);
}

static uint64_t values[VALUES];

static void
an_empty_histogram_says_nothing_but_zero(void)
{
    struct histogram *h = made();

    CHECK_EQ(histogram_count(h), 0);
    CHECK_EQ(histogram_min(h), 0);
    CHECK_EQ(histogram_max(h), 0);
    CHECK_EQ(histogram_quantile(h, 0.5), 0);
    histogram_free(h);
}

static void
one_value_is_every_quantile(void)
{
    struct histogram *h = made();

    histogram_record(h, 123456789);
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++)
        CHECK(histogram_quantile(h, quantiles[i]) == 123456789);
    histogram_free(h);
}

static void
small_values_are_exact(void)
{
    struct histogram *h = made();

    for (uint64_t v = 0; v < 2048; v++)
        histogram_record(h, v);
    for (uint64_t v = 0; v < 2048; v++)
        CHECK(histogram_quantile(h, (double)(v + 1) / 2048) == v);
    histogram_free(h);
}

static void
random_values_of_every_size_are_known_to_three_digits(void)
{
    uint64_t state = 1;

    for (size_t i = 0; i < VALUES; i++) {
        uint64_t v = next(&state);

        values[i] = v >> (next(&state) & 63);
    }
    check_all(values, VALUES);
}

static void
values_close_together_are_known_to_three_digits(void)
{
    uint64_t state = 2;

    for (size_t i = 0; i < VALUES; i++)
        values[i] = 1000000 + next(&state) % 20000;
    check_all(values, VALUES);
}

static void
a_long_tail_is_known_to_three_digits(void)
{
    uint64_t state = 3;

    for (size_t i = 0; i < VALUES; i++) {
        double u = (double)(next(&state) >> 11) / 9007199254740992.0;

        values[i] = (uint64_t)(5000 / pow(1 - u, 1.5));
    }
    check_all(values, VALUES);
}

static void
powers_of_two_and_their_neighbours_are_known_to_three_digits(void)
{
    size_t count = 0;

    for (unsigned bit = 0; bit < 64; bit++) {
        values[count++] = ((uint64_t)1 << bit) - 1;
        values[count++] = (uint64_t)1 << bit;
        values[count++] = ((uint64_t)1 << bit) + 1;
    }
    check_all(values, count);
}

/* One value at a time, where no other can hide it. */
static void
each_power_of_two_alone_is_found_again(void)
{
    struct histogram *h = made();

    for (unsigned bit = 0; bit < 64; bit++)
        for (int beside = -1; beside <= 1; beside++) {
            uint64_t v = ((uint64_t)1 << bit) + (uint64_t)(int64_t)beside, is;

            histogram_clear(h);
            histogram_record(h, v);
            histogram_record(h, UINT64_MAX);
            is = histogram_quantile(h, 0.5);
            CHECK(is >= v && is - v <= v / 1000);
        }
    histogram_free(h);
}

static void
the_extremes_are_exact(void)
{
    struct histogram *h = made();

    histogram_record(h, 0);
    histogram_record(h, UINT64_MAX);
    CHECK(histogram_min(h) == 0);
    CHECK(histogram_max(h) == UINT64_MAX);
    CHECK(histogram_quantile(h, 0) == 0);
    CHECK(histogram_quantile(h, 1) == UINT64_MAX);
    histogram_free(h);
}

static void
quantiles_out_of_range_are_the_ends(void)
{
    struct histogram *h = made();

    histogram_record(h, 10);
    histogram_record(h, 20);
    CHECK_EQ(histogram_quantile(h, -1), 10);
    CHECK_EQ(histogram_quantile(h, 2), 20);
    CHECK_EQ(histogram_quantile(h, NAN), 10);
    histogram_free(h);
}

static void
merged_parts_are_the_whole(void)
{
    struct histogram *parts[3] = {made(), made(), made()}, *all = made();
    uint64_t state = 4;

    for (size_t i = 0; i < VALUES; i++) {
        values[i] = next(&state) >> (next(&state) & 63);
        histogram_record(parts[i % 3], values[i]);
        histogram_record(all, values[i]);
    }
    histogram_merge(parts[0], parts[1]);
    histogram_merge(parts[0], parts[2]);
    check_quantiles(parts[0], values, VALUES);
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++)
        CHECK(histogram_quantile(parts[0], quantiles[i]) ==
              histogram_quantile(all, quantiles[i]));
    for (int i = 0; i < 3; i++)
        histogram_free(parts[i]);
    histogram_free(all);
}

static void
merging_an_empty_one_changes_nothing(void)
{
    struct histogram *h = made(), *empty = made();

    histogram_record(h, 5);
    histogram_merge(h, empty);
    CHECK_EQ(histogram_count(h), 1);
    CHECK_EQ(histogram_min(h), 5);
    histogram_merge(empty, h);
    CHECK_EQ(histogram_min(empty), 5);
    CHECK_EQ(histogram_max(empty), 5);
    histogram_free(h);
    histogram_free(empty);
}

static void
a_cleared_one_is_as_new(void)
{
    struct histogram *h = made();

    histogram_record(h, 1000);
    histogram_clear(h);
    CHECK_EQ(histogram_count(h), 0);
    histogram_record(h, 7);
    CHECK_EQ(histogram_quantile(h, 1), 7);
    CHECK_EQ(histogram_min(h), 7);
    histogram_free(h);
}

static const struct unit_test tests[] = {
    {"an_empty_histogram_says_nothing_but_zero",
     an_empty_histogram_says_nothing_but_zero},
    {"one_value_is_every_quantile", one_value_is_every_quantile},
    {"small_values_are_exact", small_values_are_exact},
    {"random_values_of_every_size_are_known_to_three_digits",
     random_values_of_every_size_are_known_to_three_digits},
    {"values_close_together_are_known_to_three_digits",
     values_close_together_are_known_to_three_digits},
    {"a_long_tail_is_known_to_three_digits",
     a_long_tail_is_known_to_three_digits},
    {"powers_of_two_and_their_neighbours_are_known_to_three_digits",
     powers_of_two_and_their_neighbours_are_known_to_three_digits},
    {"each_power_of_two_alone_is_found_again",
     each_power_of_two_alone_is_found_again},
    {"the_extremes_are_exact", the_extremes_are_exact},
    {"quantiles_out_of_range_are_the_ends",
     quantiles_out_of_range_are_the_ends},
    {"merged_parts_are_the_whole", merged_parts_are_the_whole},
    {"merging_an_empty_one_changes_nothing",
     merging_an_empty_one_changes_nothing},
    {"a_cleared_one_is_as_new", a_cleared_one_is_as_new},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("histogram", tests, argc, argv);
}
