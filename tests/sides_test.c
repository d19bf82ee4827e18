/* SPDX-License-Identifier: MIT */
/*
 * tests/sides_test.c - the processors of a server and of its load.
 */

#include "bench/sides.h"
#include "unit.h"

/* Of the processors 2, 3, 5, 7 ... as many as asked for. */
static cpu_set_t
allowed(int count)
{
    static const size_t cpus[] = {2, 3, 5, 7};
    cpu_set_t set;

    CPU_ZERO(&set);
    for (int i = 0; i < count; i++)
        CPU_SET(cpus[i], &set);
    return set;
}

/* As bits. */
static unsigned
side(int count, enum side which, int workers)
{
    cpu_set_t all = allowed(count), own = sides_of(&all, which, workers);
    unsigned bits = 0;

    for (size_t cpu = 0; cpu < 32; cpu++)
        if (CPU_ISSET(cpu, &own))
            bits |= 1u << cpu;
    return bits;
}

static void
one_worker_has_the_first_and_the_load_the_second(void)
{
    for (int workers = 0; workers <= 1; workers++) {
        CHECK_EQ(side(4, SERVER_SIDE, workers), 1u << 2);
        CHECK_EQ(side(4, LOAD_SIDE, workers), 1u << 3);
    }
}

static void
each_worker_has_one_and_the_load_the_next(void)
{
    CHECK_EQ(side(4, SERVER_SIDE, 2), 1u << 2 | 1u << 3);
    CHECK_EQ(side(4, LOAD_SIDE, 2), 1u << 5);
}

static void
one_is_left_for_the_load_however_many_workers_there_are(void)
{
    CHECK_EQ(side(4, SERVER_SIDE, 9), 1u << 2 | 1u << 3 | 1u << 5);
    CHECK_EQ(side(4, LOAD_SIDE, 9), 1u << 7);
    CHECK_EQ(side(2, SERVER_SIDE, 9), 1u << 2);
    CHECK_EQ(side(2, LOAD_SIDE, 9), 1u << 3);
}

static void
both_share_the_only_one(void)
{
    CHECK_EQ(side(1, SERVER_SIDE, 2), 1u << 2);
    CHECK_EQ(side(1, LOAD_SIDE, 2), 1u << 2);
}

static void
all_are_all_whatever_the_workers(void)
{
    CHECK_EQ(side(2, ALL_SIDES, 1), 1u << 2 | 1u << 3);
    CHECK_EQ(side(2, ALL_SIDES, 2), 1u << 2 | 1u << 3);
    CHECK_EQ(side(1, ALL_SIDES, 2), 1u << 2);
}

static const struct unit_test tests[] = {
    {"one_worker_has_the_first_and_the_load_the_second",
     one_worker_has_the_first_and_the_load_the_second},
    {"each_worker_has_one_and_the_load_the_next",
     each_worker_has_one_and_the_load_the_next},
    {"one_is_left_for_the_load_however_many_workers_there_are",
     one_is_left_for_the_load_however_many_workers_there_are},
    {"both_share_the_only_one", both_share_the_only_one},
    {"all_are_all_whatever_the_workers", all_are_all_whatever_the_workers},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("sides", tests, argc, argv);
}
