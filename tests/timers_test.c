/* SPDX-License-Identifier: MIT */
/*
 * tests/timers_test.c - core/timers.h against a sorted model: who is due fires,
 * in order, once, never early. Deadlines here are numbers; no clock is read.
 */

#include "core/atomic.h"
#include "core/timers.h"
#include "crew.h"

#include <errno.h>
#include <string.h>

enum { MANY = 600 };

/* A sleeper whose waker notes when its turn came. */
struct sleeper {
    struct pons_sleep sleep;
    uint64_t seq; // of insertion
    int linked;   // the model's
    int clones, wakes, releases;
};

static struct poni_timers timers;
static struct sleeper sleepers[MANY];
static struct sleeper *woken[MANY];
static unsigned woken_count;
static uint64_t inserted;

static void
sleeper_clone(void *data)
{
    ((struct sleeper *)data)->clones++;
}

static void
sleeper_wake(void *data)
{
    struct sleeper *s = data;

    s->wakes++;
    woken[woken_count++ % MANY] = s;
}

static void
sleeper_notify(void *data)
{
    (void)data;
    CHECK(!"a timer notified where it should wake");
}

static void
sleeper_release(void *data)
{
    ((struct sleeper *)data)->releases++;
}

static const struct pons_waker_ops sleeper_ops = {
    .size = sizeof sleeper_ops,
    .clone = sleeper_clone,
    .wake = sleeper_wake,
    .notify = sleeper_notify,
    .release = sleeper_release,
};

static void
insert(struct sleeper *s, uint64_t deadline_ns)
{
    struct pons_waker w = {&sleeper_ops, s};

    pons_sleep_init(&s->sleep, deadline_ns);
    s->clones = s->wakes = s->releases = 0;
    s->seq = inserted++;
    s->linked = 1;
    poni_timers_insert(&timers, &s->sleep, &w);
}

static void
check_ended(struct sleeper *s, int64_t result, int wakes)
{
    CHECK_EQ(s->sleep.base.state, SLEEP_ENDED);
    CHECK_EQ(s->sleep.base.result, result);
    CHECK(s->sleep.waker.ops == NULL); // it went with the wake, or the drop
    CHECK_EQ(s->clones, 1);
    CHECK_EQ(s->wakes, wakes);
    CHECK_EQ(s->wakes + s->releases, 1);
}

static void
remove_one(struct sleeper *s)
{
    CHECK_EQ(poni_timers_remove(&s->sleep, -ECANCELED), 1);
    s->linked = 0;
    check_ended(s, -ECANCELED, 0);
}

/* What the model says comes first; NULL: nobody. */
static struct sleeper *
model_first(void)
{
    struct sleeper *first = NULL;

    for (int i = 0; i < MANY; i++) {
        struct sleeper *s = &sleepers[i];

        if (s->linked &&
            (first == NULL || s->sleep.deadline_ns < first->sleep.deadline_ns ||
             (s->sleep.deadline_ns == first->sleep.deadline_ns &&
              s->seq < first->seq)))
            first = s;
    }
    return first;
}

static void
check_earliest(void)
{
    struct sleeper *first = model_first();

    CHECK(poni_timers_earliest(&timers) ==
          (first != NULL ? first->sleep.deadline_ns : PONS_NEVER));
}

/* Fires what is due at `now_ns`, and compares with the model one by one. */
static void
fire(uint64_t now_ns)
{
    unsigned i = 0;
    struct sleeper *s;

    woken_count = 0;
    poni_timers_fire(&timers, now_ns);
    while ((s = model_first()) != NULL && s->sleep.deadline_ns <= now_ns) {
        CHECK(i < woken_count);
        CHECK(woken[i++] == s);
        s->linked = 0;
        check_ended(s, 0, 1);
    }
    CHECK_EQ(woken_count, i);
    check_earliest();
}

static void
begin(void)
{
    poni_timers_init(&timers);
    CHECK(poni_timers_earliest(&timers) == PONS_NEVER);
}

static void
the_earliest_fires_first_whatever_the_order_of_insertion(void)
{
    static const uint64_t deadlines[] = {50, 10, 40, 20, 30, 60, 5};

    begin();
    for (size_t i = 0; i < sizeof deadlines / sizeof *deadlines; i++) {
        insert(&sleepers[i], deadlines[i]);
        check_earliest();
    }
    fire(100);
    CHECK_EQ(woken_count, 7);
}

static void
nothing_fires_before_its_deadline(void)
{
    begin();
    for (int i = 0; i < 50; i++)
        insert(&sleepers[i], 100 + (uint64_t)i);
    fire(99);
    CHECK_EQ(woken_count, 0);
    for (uint64_t now = 100; now < 150; now++) {
        fire(now);
        CHECK_EQ(woken_count, 1);
    }
    CHECK_EQ(timers.fired, 50);
}

static void
those_of_one_deadline_fire_in_the_order_of_insertion(void)
{
    begin();
    for (int i = 0; i < 100; i++)
        insert(&sleepers[i], i % 3 ? 7 : 9);
    remove_one(&sleepers[1]); // the first of the sevens
    remove_one(&sleepers[50]);
    fire(8);
    CHECK_EQ(woken_count, 64);
    fire(9);
    CHECK_EQ(woken_count, 34);
}

static void
the_last_moment_is_a_deadline_like_others(void)
{
    begin();
    insert(&sleepers[0], PONS_NEVER);
    insert(&sleepers[1], PONS_NEVER - 1);
    insert(&sleepers[2], 0);
    fire(0);
    CHECK_EQ(woken_count, 1);
    fire(PONS_NEVER - 1);
    CHECK_EQ(woken_count, 1);
    remove_one(&sleepers[0]);
}

static void
a_removed_sleeper_is_not_woken_and_ends_with_the_given_result(void)
{
    begin();
    for (int i = 0; i < 3; i++)
        insert(&sleepers[i], 10);
    remove_one(&sleepers[0]); // the root
    remove_one(&sleepers[2]); // a leaf
    CHECK_EQ(poni_timers_remove(&sleepers[0].sleep, 1), 0);
    check_ended(&sleepers[0], -ECANCELED, 0); // nothing has changed
    fire(10);
    CHECK_EQ(woken_count, 1);
    CHECK_EQ(poni_timers_remove(&sleepers[1].sleep, -ECANCELED), 0);
    check_ended(&sleepers[1], 0, 1);
}

static uint64_t
random_below(uint64_t n)
{
    static uint64_t x = 88172645463325252u; // xorshift; any odd start will do

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x % n;
}

static void
random_insertions_and_removals_agree_with_a_sorted_model(void)
{
    uint64_t now = 1000;

    begin();
    for (int i = 0; i < 30000; i++) {
        struct sleeper *s = &sleepers[random_below(MANY)];

        if (s->linked)
            remove_one(s);
        else
            insert(s, now + random_below(200)); // ties are common
        if (i % 16 == 0)
            check_earliest();
        if (random_below(150) == 0) {
            now += random_below(120);
            fire(now);
        }
    }
    fire(now + 200);
    for (int i = 0; i < MANY; i++)
        CHECK_EQ(sleepers[i].linked, 0);
}

/* --- what a wake may do --- */

static void
wake_and_insert(void *data)
{
    struct sleeper *s = data;

    sleeper_wake(s);
    if (s == &sleepers[0])
        insert(&sleepers[2], 5); // already due: fires in this round
    else if (s == &sleepers[1])
        insert(&sleepers[3], PONS_NEVER); // not due
    else
        memset(&s->sleep, 0xaa, sizeof s->sleep); // it has ended: the memory
                                                  // is its owner's
}

static void
a_wake_may_insert_and_reuse_its_own_memory(void)
{
    static struct pons_waker_ops ops;

    ops = sleeper_ops;
    ops.wake = wake_and_insert;
    begin();
    for (int i = 0; i < 2; i++) {
        struct pons_waker w = {&ops, &sleepers[i]};

        pons_sleep_init(&sleepers[i].sleep, 10 + (uint64_t)i);
        poni_timers_insert(&timers, &sleepers[i].sleep, &w);
    }
    poni_timers_fire(&timers, 20);
    CHECK_EQ(woken_count, 3);
    CHECK(woken[0] == &sleepers[0]);
    CHECK(woken[1] == &sleepers[1] || woken[1] == &sleepers[2]);
    remove_one(&sleepers[3]);
    CHECK(poni_timers_earliest(&timers) == PONS_NEVER);
}

/* --- threads --- */

enum { PAIRS = 300, ROUNDS = 100 };

static int claimed[PAIRS]; // by remove: 1
static int fire_wakes;

static void
racing_wake(void *data)
{
    struct sleeper *s = data;

    s->wakes++; // plain: one end only
    poni_add(&fire_wakes, 1);
}

static const struct pons_waker_ops racing_ops = {
    .size = sizeof racing_ops,
    .clone = sleeper_clone,
    .wake = racing_wake,
    .notify = sleeper_notify,
    .release = sleeper_release,
};

/* One thread fires, two remove every second one each: each ends once. */
static void
race(int who)
{
    for (int round = 0; round < ROUNDS; round++) {
        if (who == 0) {
            fire_wakes = 0;
            memset(claimed, 0, sizeof claimed);
            for (int i = 0; i < PAIRS; i++) {
                struct pons_waker w = {&racing_ops, &sleepers[i]};

                memset(&sleepers[i], 0, sizeof sleepers[i]);
                pons_sleep_init(&sleepers[i].sleep, (uint64_t)(i * 7 % PAIRS));
                poni_timers_insert(&timers, &sleepers[i].sleep, &w);
            }
        }
        crew_meet();
        if (who == 0)
            for (uint64_t now = 0; now < PAIRS; now++)
                poni_timers_fire(&timers, now);
        else
            for (int i = who - 1; i < PAIRS; i += 2)
                claimed[i] = poni_timers_remove(&sleepers[i].sleep, -ECANCELED);
        crew_meet();
        for (int i = 0; who == 0 && i < PAIRS; i++) {
            struct sleeper *s = &sleepers[i];

            CHECK_EQ(s->clones, 1);
            CHECK_EQ(s->wakes, !claimed[i]);
            CHECK_EQ(s->releases, claimed[i]);
            CHECK_EQ(s->sleep.base.result, claimed[i] ? -ECANCELED : 0);
        }
    }
}

static void
a_sleeper_ends_once_when_removal_races_firing(void)
{
    begin();
    crew_run(3, race);
    CHECK(poni_timers_earliest(&timers) == PONS_NEVER);
}

static const struct unit_test tests[] = {
    {"the_earliest_fires_first_whatever_the_order_of_insertion",
     the_earliest_fires_first_whatever_the_order_of_insertion},
    {"nothing_fires_before_its_deadline", nothing_fires_before_its_deadline},
    {"those_of_one_deadline_fire_in_the_order_of_insertion",
     those_of_one_deadline_fire_in_the_order_of_insertion},
    {"the_last_moment_is_a_deadline_like_others",
     the_last_moment_is_a_deadline_like_others},
    {"a_removed_sleeper_is_not_woken_and_ends_with_the_given_result",
     a_removed_sleeper_is_not_woken_and_ends_with_the_given_result},
    {"random_insertions_and_removals_agree_with_a_sorted_model",
     random_insertions_and_removals_agree_with_a_sorted_model},
    {"a_wake_may_insert_and_reuse_its_own_memory",
     a_wake_may_insert_and_reuse_its_own_memory},
    {"a_sleeper_ends_once_when_removal_races_firing",
     a_sleeper_ends_once_when_removal_races_firing},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("timers", tests, argc, argv);
}
