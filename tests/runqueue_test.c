/* SPDX-License-Identifier: MIT */
/*
 * tests/runqueue_test.c - core/runqueue.h: first in, first out, half to a
 * thief, each task to one taker. A task here is only an address that is never
 * followed.
 */

#include "core/runqueue.h"
#include "crew.h"

#include <string.h>

static struct poni_runqueue queue;

static struct pons_task *
task_of(uint64_t id)
{
    return (struct pons_task *)(uintptr_t)(id * 16 + 16);
}

static uint64_t
id_of(const struct pons_task *t)
{
    return ((uintptr_t)t - 16) / 16;
}

static void
push_ids(uint64_t first, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        CHECK_EQ(runqueue_push(&queue, task_of(first + i)), 1);
}

static void
pop_ids(uint64_t first, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        CHECK(runqueue_pop(&queue) == task_of(first + i));
}

static void
first_in_first_out(void)
{
    CHECK(runqueue_pop(&queue) == NULL);
    push_ids(0, 5);
    CHECK_EQ(runqueue_count(&queue), 5);
    pop_ids(0, 5);
    CHECK(runqueue_pop(&queue) == NULL);
    CHECK_EQ(runqueue_count(&queue), 0);
}

static void
a_full_ring_refuses_and_keeps_what_it_has(void)
{
    push_ids(0, RUNQUEUE_SLOTS);
    CHECK_EQ(runqueue_push(&queue, task_of(999)), 0);
    CHECK_EQ(runqueue_count(&queue), RUNQUEUE_SLOTS);
    pop_ids(0, 1);
    CHECK_EQ(runqueue_push(&queue, task_of(RUNQUEUE_SLOTS)), 1);
    CHECK_EQ(runqueue_push(&queue, task_of(999)), 0);
    pop_ids(1, RUNQUEUE_SLOTS);
    CHECK(runqueue_pop(&queue) == NULL);
}

/* Every offset of head and tail in the ring, and both counters past their end.
 */
static void
the_ring_wraps_around(void)
{
    uint64_t id = 0;

    queue.head = queue.tail = UINT64_MAX - 1000;
    for (unsigned n = 1; n <= RUNQUEUE_SLOTS; n++) {
        push_ids(id, n);
        CHECK_EQ(runqueue_count(&queue), n);
        pop_ids(id, n);
        CHECK(runqueue_pop(&queue) == NULL);
        id += n;
    }
    CHECK(queue.tail < RUNQUEUE_SLOTS * RUNQUEUE_SLOTS);
}

static void
a_thief_takes_the_older_half_rounded_up(void)
{
    static const unsigned pairs[][2] = {
        {0, 0}, {1, 1}, {2, 1}, {3, 2}, {4, 2}, {5, 3}, {255, 128}, {256, 128},
    };
    struct pons_task *loot[RUNQUEUE_SLOTS];

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        memset(&queue, 0, sizeof queue);
        push_ids(0, pairs[i][0]);
        CHECK_EQ(runqueue_steal(&queue, loot, RUNQUEUE_SLOTS), pairs[i][1]);
        for (unsigned j = 0; j < pairs[i][1]; j++)
            CHECK(loot[j] == task_of(j));
        CHECK_EQ(runqueue_count(&queue), pairs[i][0] - pairs[i][1]);
        pop_ids(pairs[i][1], pairs[i][0] - pairs[i][1]);
    }
}

static void
a_thief_takes_no_more_than_it_has_room_for(void)
{
    struct pons_task *loot[4] = {NULL, NULL, NULL, NULL};

    push_ids(0, 100);
    CHECK_EQ(runqueue_steal(&queue, loot, 3), 3);
    for (unsigned i = 0; i < 3; i++)
        CHECK(loot[i] == task_of(i));
    CHECK(loot[3] == NULL);
    pop_ids(3, 97);
}

/* --- owner and thieves --- */

enum { THIEVES = 3, TASKS = 1 << 19, ROUNDS = 6 };

static uint8_t taken[TASKS];
static uint64_t order[1 + THIEVES]; // the last id that each took, plus one
static uint64_t stolen;
static int done;

static void
take(int who, const struct pons_task *t)
{
    uint64_t id = id_of(t);

    CHECK(id < TASKS);
    CHECK_EQ(poni_add(&taken[id], 1), 0);
    CHECK(id >= order[who]); // to each taker they come in order
    order[who] = id + 1;
}

/* Pushes ever longer runs, pops some of them back, as a seat does. */
static void
own(void)
{
    struct pons_task *t;
    uint64_t id = 0;

    for (unsigned run = 1; id < TASKS; run = run % 300 + 1) {
        for (unsigned i = 0; i < run && id < TASKS; i++) {
            if (!runqueue_push(&queue, task_of(id)))
                break;
            id++;
        }
        for (unsigned i = 0; i < run / 2; i++)
            if ((t = runqueue_pop(&queue)) != NULL)
                take(0, t);
    }
    /* Something is left, or was stolen. */
    while (poni_load_relaxed(&stolen) == 0)
        crew_relax();
    while ((t = runqueue_pop(&queue)) != NULL)
        take(0, t);
    poni_store_release(&done, 1);
}

static void
own_and_steal(int who)
{
    struct pons_task *loot[RUNQUEUE_SLOTS / 2];
    unsigned n;

    if (who == 0) {
        own();
        return;
    }
    while (!poni_load_acquire(&done)) {
        n = runqueue_steal(&queue, loot,
                           (unsigned)who * RUNQUEUE_SLOTS / 2 / THIEVES);
        for (unsigned i = 0; i < n; i++)
            take(who, loot[i]);
        poni_add_relaxed(&stolen, n);
        if (n == 0)
            crew_relax();
    }
}

static void
owner_and_thieves_take_each_task_once(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        queue.head = queue.tail = UINT64_MAX - TASKS / 2;
        memset(taken, 0, sizeof taken);
        memset(order, 0, sizeof order);
        done = 0;
        crew_run(1 + THIEVES, own_and_steal);
        for (int i = 0; i < TASKS; i++)
            CHECK_EQ(taken[i], 1);
    }
    CHECK(stolen > 0);
}

static const struct unit_test tests[] = {
    {"first_in_first_out", first_in_first_out},
    {"a_full_ring_refuses_and_keeps_what_it_has",
     a_full_ring_refuses_and_keeps_what_it_has},
    {"the_ring_wraps_around", the_ring_wraps_around},
    {"a_thief_takes_the_older_half_rounded_up",
     a_thief_takes_the_older_half_rounded_up},
    {"a_thief_takes_no_more_than_it_has_room_for",
     a_thief_takes_no_more_than_it_has_room_for},
    {"owner_and_thieves_take_each_task_once",
     owner_and_thieves_take_each_task_once},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("runqueue", tests, argc, argv);
}
