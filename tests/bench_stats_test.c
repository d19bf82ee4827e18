/* SPDX-License-Identifier: MIT */
/*
 * tests/bench_stats_test.c - medians, their intervals, and what is noise.
 */

#include "cli/bench_stats.h"
#include "unit.h"

#include <math.h>
#include <stdint.h>

/* A seeded source of numbers; the same ones each time. */
static double
uniform(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) / 9007199254740992.0;
}

static struct bench_stats
stats(const double *values, size_t count)
{
    struct bench_stats s;

    CHECK_EQ(bench_stats_of(&s, values, count), 0);
    return s;
}

static void
no_values_are_zeroes_and_not_enough(void)
{
    struct bench_stats s = stats(NULL, 0);

    CHECK_EQ(s.count, 0);
    CHECK(s.median == 0 && s.low == 0 && s.high == 0);
    CHECK(!s.enough);
}

static void
the_median_of_an_even_number_is_between_two(void)
{
    const double even[] = {4, 1, 3, 2}, odd[] = {9, 1, 5};

    CHECK(stats(even, 4).median == 2.5);
    CHECK(stats(odd, 3).median == 5);
    CHECK(stats(odd, 1).median == 9);
}

static void
values_stay_in_their_order(void)
{
    const double values[] = {3, 1, 2};

    (void)stats(values, 3);
    CHECK(values[0] == 3 && values[1] == 1 && values[2] == 2);
}

static void
five_values_have_no_interval_and_six_have(void)
{
    const double values[] = {5, 3, 1, 2, 4, 6};
    struct bench_stats five = stats(values, 5), six = stats(values, 6);

    CHECK(!five.enough && five.low == 1 && five.high == 5);
    CHECK(six.enough && six.low == 1 && six.high == 6);
    CHECK_EQ(STATS_ENOUGH, 6);
}

/* From tables of the sign test, at 5 % on two sides. */
static void
ranks_are_those_of_the_tables(void)
{
    static const struct {
        size_t count, rank;
    } table[] = {{0, 0},   {5, 0},   {6, 1},   {8, 1},   {9, 2},  {10, 2},
                 {11, 2},  {12, 3},  {15, 4},  {20, 6},  {25, 8}, {30, 10},
                 {40, 14}, {50, 18}, {60, 22}, {100, 40}};

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        CHECK_EQ(bench_stats_rank(table[i].count), table[i].rank);
}

static void
many_thousand_values_have_a_rank_too(void)
{
    size_t rank = bench_stats_rank(100000);

    /* n/2 - 1.96 * sqrt(n)/2, give or take. */
    CHECK(rank > 49680 && rank < 49700);
}

static void
the_interval_is_symmetric_in_rank(void)
{
    double values[20];
    struct bench_stats s;

    for (int i = 0; i < 20; i++)
        values[i] = 20 - i;
    s = stats(values, 20);
    CHECK(s.low == 6 && s.high == 15);
    CHECK(s.min == 1 && s.max == 20);
}

/* Of 2000 samples of an uneven distribution, about 95 % hold its median. */
static void
nineteen_of_twenty_intervals_hold_the_median(void)
{
    uint64_t state = 7;
    int held = 0;

    for (int sample = 0; sample < 2000; sample++) {
        double values[30];
        struct bench_stats s;

        for (int i = 0; i < 30; i++)
            values[i] = -log(1 - uniform(&state));
        s = stats(values, 30);
        held += s.low <= log(2) && log(2) <= s.high;
    }
    CHECK(held >= 1900 && held < 1980);
}

static void
within_looks_at_both_sides(void)
{
    const double high[] = {100, 100, 100, 100, 100, 106};
    const double low[] = {94, 100, 100, 100, 100, 100};
    const double near[] = {95, 100, 100, 100, 100, 105};
    struct bench_stats s = stats(high, 6);

    CHECK(!bench_stats_within(&s, 0.05));
    s = stats(low, 6);
    CHECK(!bench_stats_within(&s, 0.05));
    s = stats(near, 6);
    CHECK(bench_stats_within(&s, 0.05));
    s = stats(near + 1, 4);
    CHECK(!bench_stats_within(&s, 0.05));
}

static void
zeroes_are_narrow(void)
{
    const double values[] = {0, 0, 0, 0, 0, 0};
    struct bench_stats s = stats(values, 6);

    CHECK(bench_stats_within(&s, 0.05));
}

static void
only_intervals_apart_are_a_difference(void)
{
    const double a[] = {10, 11, 12, 13, 14, 15};
    const double b[] = {15, 16, 17, 18, 19, 20};
    const double c[] = {16, 17, 18, 19, 20, 21};
    struct bench_stats sa = stats(a, 6), sb = stats(b, 6), sc = stats(c, 6);

    CHECK_EQ(bench_stats_compare(&sa, &sb), 0);
    CHECK_EQ(bench_stats_compare(&sa, &sc), 1);
    CHECK_EQ(bench_stats_compare(&sc, &sa), -1);
    sc = stats(c, 5);
    CHECK_EQ(bench_stats_compare(&sa, &sc), 0);
}

static const struct unit_test tests[] = {
    {"no_values_are_zeroes_and_not_enough",
     no_values_are_zeroes_and_not_enough},
    {"the_median_of_an_even_number_is_between_two",
     the_median_of_an_even_number_is_between_two},
    {"values_stay_in_their_order", values_stay_in_their_order},
    {"five_values_have_no_interval_and_six_have",
     five_values_have_no_interval_and_six_have},
    {"ranks_are_those_of_the_tables", ranks_are_those_of_the_tables},
    {"many_thousand_values_have_a_rank_too",
     many_thousand_values_have_a_rank_too},
    {"the_interval_is_symmetric_in_rank", the_interval_is_symmetric_in_rank},
    {"nineteen_of_twenty_intervals_hold_the_median",
     nineteen_of_twenty_intervals_hold_the_median},
    {"within_looks_at_both_sides", within_looks_at_both_sides},
    {"zeroes_are_narrow", zeroes_are_narrow},
    {"only_intervals_apart_are_a_difference",
     only_intervals_apart_are_a_difference},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("bench_stats", tests, argc, argv);
}
