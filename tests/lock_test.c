/* SPDX-License-Identifier: MIT */
/*
 * tests/lock_test.c - core/lock.h: one at a time, nobody forgotten, and the
 * word may go with its last holder.
 */

#include "core/lock.h"
#include "crew.h"

#include <pthread.h>

enum { THREADS = 4, TURNS = 40000 };

static uint32_t lock;
static uint64_t count; // plain: the lock's to guard
static int inside;

static void
a_free_lock_is_taken_and_given_back_without_a_trace(void)
{
    uint32_t word = LOCK_FREE;

    poni_lock(&word);
    CHECK_EQ(word, LOCK_HELD);
    poni_unlock(&word);
    CHECK_EQ(word, LOCK_FREE);
}

static void
count_up(int who)
{
    (void)who;
    for (int i = 0; i < TURNS; i++) {
        poni_lock(&lock);
        CHECK_EQ(inside++, 0);
        count++;
        inside--;
        poni_unlock(&lock);
    }
}

static void
one_holder_at_a_time_who_sees_what_the_last_one_wrote(void)
{
    crew_run(THREADS, count_up);
    CHECK_EQ(count, THREADS * TURNS);
    CHECK_EQ(lock, LOCK_FREE);
}

/* The first holds it until the others sleep, or are about to. */
static void
hold_until_contended(int who)
{
    if (who == 0) {
        while (poni_load_acquire(&lock) != LOCK_CONTENDED)
            crew_relax();
        count = 42;
        poni_unlock(&lock);
        return;
    }
    poni_lock(&lock);
    CHECK_EQ(count, 42);
    poni_unlock(&lock);
}

static void
every_sleeper_gets_its_turn(void)
{
    for (int i = 0; i < 200; i++) {
        lock = LOCK_HELD;
        count = 0;
        crew_run(THREADS, hold_until_contended);
        CHECK_EQ(lock, LOCK_FREE);
    }
}

/* --- a lock inside what it guards --- */

struct shared {
    uint32_t lock, refs;
};

enum { OBJECTS = 20000 };

static struct shared *shared[OBJECTS];

static void
drop_references(int who)
{
    (void)who;
    for (int i = 0; i < OBJECTS; i++) {
        struct shared *s = shared[i];
        uint32_t left;

        poni_lock(&s->lock);
        left = --s->refs;
        poni_unlock(&s->lock);
        if (left == 0)
            free(s);
    }
}

static void
last_holder_may_free_the_memory_of_the_lock(void)
{
    for (int i = 0; i < OBJECTS; i++) {
        shared[i] = calloc(1, sizeof *shared[i]);
        CHECK(shared[i] != NULL);
        shared[i]->refs = THREADS;
    }
    crew_run(THREADS, drop_references);
}

static const struct unit_test tests[] = {
    {"a_free_lock_is_taken_and_given_back_without_a_trace",
     a_free_lock_is_taken_and_given_back_without_a_trace},
    {"one_holder_at_a_time_who_sees_what_the_last_one_wrote",
     one_holder_at_a_time_who_sees_what_the_last_one_wrote},
    {"every_sleeper_gets_its_turn", every_sleeper_gets_its_turn},
    {"last_holder_may_free_the_memory_of_the_lock",
     last_holder_may_free_the_memory_of_the_lock},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("lock", tests, argc, argv);
}
