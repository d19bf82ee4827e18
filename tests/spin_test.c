/* SPDX-License-Identifier: MIT */
/*
 * tests/spin_test.c - core/spin.c: what a thread learns of looking.
 */

#include "core/spin.h"

#include <sched.h>

#include "unit.h"

enum { HALVINGS = 64 };

static uint64_t
limit_ticks(void)
{
    struct poni_spin s = {0};

    CHECK(poni_spin_limit_ns() > 0);
    poni_spin_paid(&s);
    return s.ticks;
}

/* Rung by this thread, as if from a processor `off` from its own. */
static void
slept(struct poni_spin *s, int off, uint64_t ticks)
{
    poni_spin_rung(s);
    s->rung_on += off;
    poni_spin_slept(s, ticks);
}

static void
stay_where_you_are(void)
{
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET((unsigned)sched_getcpu(), &one);
    CHECK_EQ(sched_setaffinity(0, sizeof one, &one), 0);
}

static void
two_processors_or_skip(void)
{
    if (poni_processors() < 2)
        SKIP("one processor: nothing is looked for");
    CHECK(poni_wake_ns() > 0);
    stay_where_you_are();
}

static void
with_one_processor_nothing_is_looked_for(void)
{
    stay_where_you_are();
    CHECK_EQ(poni_wake_ns(), 0);
    CHECK_EQ(poni_spin_limit_ns(), 0);
    CHECK(poni_ticks_per_us() > 0);
}

static void
who_asks_keeps_its_processors(void)
{
    unsigned before = poni_processors();

    CHECK(poni_ticks_per_us() > 0);
    CHECK_EQ(poni_processors(), before);
}

static void
the_limit_is_two_wakes(void)
{
    two_processors_or_skip();
    CHECK_EQ(poni_spin_limit_ns(), 2 * poni_wake_ns());
}

static void
what_does_not_pay_is_done_for_half_as_long_and_never_not_at_all(void)
{
    struct poni_spin s = {0};
    uint64_t before;

    two_processors_or_skip();
    s.ticks = before = limit_ticks();
    poni_spin_missed(&s);
    CHECK_EQ(s.ticks, before / 2);
    for (int i = 0; i < HALVINGS; i++)
        poni_spin_missed(&s);
    CHECK(s.ticks > 0 && s.ticks <= before / 32);
    poni_spin_paid(&s);
    CHECK_EQ(s.ticks, before);
}

static void
a_short_sleep_says_that_looking_had_paid(void)
{
    struct poni_spin s = {0};
    uint64_t limit;

    two_processors_or_skip();
    limit = limit_ticks();
    slept(&s, 1, limit * 2); // its last part is the wake, which looking saves
    CHECK_EQ(s.ticks, 0);
    slept(&s, 1, limit + limit / 4);
    CHECK_EQ(s.ticks, limit);
}

static void
not_where_the_ringer_needs_our_processor_but_now_and_then(void)
{
    struct poni_spin s = {0};
    int rings = 0;

    two_processors_or_skip();
    for (; s.ticks == 0 && rings < 10000; rings++)
        slept(&s, 0, 1);
    CHECK(rings > 100);
    CHECK_EQ(s.ticks, limit_ticks());
}

static const struct unit_test tests[] = {
    {"with_one_processor_nothing_is_looked_for",
     with_one_processor_nothing_is_looked_for},
    {"who_asks_keeps_its_processors", who_asks_keeps_its_processors},
    {"the_limit_is_two_wakes", the_limit_is_two_wakes},
    {"what_does_not_pay_is_done_for_half_as_long_and_never_not_at_all",
     what_does_not_pay_is_done_for_half_as_long_and_never_not_at_all},
    {"a_short_sleep_says_that_looking_had_paid",
     a_short_sleep_says_that_looking_had_paid},
    {"not_where_the_ringer_needs_our_processor_but_now_and_then",
     not_where_the_ringer_needs_our_processor_but_now_and_then},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("spin", tests, argc, argv);
}
