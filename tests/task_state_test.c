/* SPDX-License-Identifier: MIT */
/*
 * tests/task_state_test.c - the table in core/task_state.h cell by cell, then
 * what needs threads: a task is never queued twice, no wake is lost, DONE's
 * debts are owed to one caller each.
 */

#include "core/task_state.h"
#include "crew.h"

static uint32_t
word_of(enum task_phase phase, uint32_t flags, uint32_t refs)
{
    return (uint32_t)phase | flags | refs * TASK_REF;
}

/* --- the table --- */

static int
ref(uint32_t *word)
{
    task_ref(word);
    return OWES_NOTHING;
}

static int
begin(uint32_t *word)
{
    uint32_t before = *word;

    CHECK_EQ(task_begin(word), before);
    return OWES_NOTHING;
}

static int
wake(uint32_t *word)
{
    return (int)task_wake(word);
}

static int
wake_unref(uint32_t *word)
{
    return (int)task_wake_unref(word);
}

static int
cancel(uint32_t *word)
{
    return (int)task_cancel(word);
}

static int
pending(uint32_t *word)
{
    return (int)task_pending(word);
}

static int
unref(uint32_t *word)
{
    return (int)task_unref(word);
}

static int
end(uint32_t *word)
{
    return (int)task_end(word);
}

struct row {
    int (*call)(uint32_t *word);
    enum task_phase from, to;
    uint32_t sets, clears; // flags
    int refs;              // how the count changes
    int answer;
};

/* Each with every combination of the flags and several counts. */
static void
check_rows(const struct row *rows, size_t count, uint32_t with_flags,
           uint32_t without_flags)
{
    static const uint32_t refs[] = {2, 3, 1000, 100000000};

    for (size_t i = 0; i < count; i++)
        for (uint32_t f = 0; f < 4; f++)
            for (size_t r = 0; r < sizeof refs / sizeof *refs; r++) {
                const struct row *row = &rows[i];
                uint32_t flags = f * TASK_CANCELLED;
                uint32_t word = word_of(row->from, flags, refs[r]);

                if ((flags & with_flags) != with_flags ||
                    (flags & without_flags))
                    continue;
                CHECK_EQ(row->call(&word), row->answer);
                flags = (flags | row->sets) & ~row->clears;
                CHECK_EQ(word, word_of(row->to, flags,
                                       (uint32_t)((int)refs[r] + row->refs)));
            }
}

#define CHECK_ROWS(rows, with, without) \
    check_rows(rows, sizeof rows / sizeof *rows, with, without)

/* clang-format off */
static const struct row rows[] = {
    {wake,    TASK_IDLE,    TASK_QUEUED,  0, 0,  0, OWES_ENQUEUE},
    {wake,    TASK_QUEUED,  TASK_QUEUED,  0, 0,  0, OWES_NOTHING},
    {wake,    TASK_RUNNING, TASK_REWOKEN, 0, 0,  0, OWES_NOTHING},
    {wake,    TASK_REWOKEN, TASK_REWOKEN, 0, 0,  0, OWES_NOTHING},
    {wake,    TASK_DONE,    TASK_DONE,    0, 0,  0, OWES_NOTHING},
    {wake_unref, TASK_IDLE,    TASK_QUEUED,  0, 0, -1, OWES_ENQUEUE},
    {wake_unref, TASK_QUEUED,  TASK_QUEUED,  0, 0, -1, OWES_NOTHING},
    {wake_unref, TASK_RUNNING, TASK_REWOKEN, 0, 0, -1, OWES_NOTHING},
    {wake_unref, TASK_REWOKEN, TASK_REWOKEN, 0, 0, -1, OWES_NOTHING},
    {wake_unref, TASK_DONE,    TASK_DONE,    0, 0, -1, OWES_NOTHING},
    {cancel,  TASK_IDLE,    TASK_QUEUED,  TASK_CANCELLED, 0, 0, OWES_ENQUEUE},
    {cancel,  TASK_QUEUED,  TASK_QUEUED,  TASK_CANCELLED, 0, 0, OWES_NOTHING},
    {cancel,  TASK_RUNNING, TASK_REWOKEN, TASK_CANCELLED, 0, 0, OWES_NOTHING},
    {cancel,  TASK_REWOKEN, TASK_REWOKEN, TASK_CANCELLED, 0, 0, OWES_NOTHING},
    {cancel,  TASK_DONE,    TASK_DONE,    TASK_CANCELLED, 0, 0, OWES_NOTHING},
    {begin,   TASK_QUEUED,  TASK_RUNNING, 0, 0,  0, OWES_NOTHING},
    {begin,   TASK_RUNNING, TASK_RUNNING, 0, 0,  0, OWES_NOTHING}, // yielded
    {begin,   TASK_REWOKEN, TASK_REWOKEN, 0, 0,  0, OWES_NOTHING}, // and woken
    {pending, TASK_RUNNING, TASK_IDLE,    0, 0,  0, OWES_NOTHING},
    {pending, TASK_REWOKEN, TASK_QUEUED,  0, 0,  0, OWES_ENQUEUE},
    {ref,     TASK_IDLE,    TASK_IDLE,    0, 0, +1, OWES_NOTHING},
    {ref,     TASK_QUEUED,  TASK_QUEUED,  0, 0, +1, OWES_NOTHING},
    {ref,     TASK_RUNNING, TASK_RUNNING, 0, 0, +1, OWES_NOTHING},
    {ref,     TASK_REWOKEN, TASK_REWOKEN, 0, 0, +1, OWES_NOTHING},
    {ref,     TASK_DONE,    TASK_DONE,    0, 0, +1, OWES_NOTHING},
    {unref,   TASK_IDLE,    TASK_IDLE,    0, 0, -1, OWES_NOTHING},
    {unref,   TASK_QUEUED,  TASK_QUEUED,  0, 0, -1, OWES_NOTHING},
    {unref,   TASK_RUNNING, TASK_RUNNING, 0, 0, -1, OWES_NOTHING},
    {unref,   TASK_REWOKEN, TASK_REWOKEN, 0, 0, -1, OWES_NOTHING},
    {unref,   TASK_DONE,    TASK_DONE,    0, 0, -1, OWES_NOTHING},
};

static const struct row end_rows[] = {
    {end,     TASK_RUNNING, TASK_DONE,    0, 0, -1, OWES_NOTHING},
    {end,     TASK_REWOKEN, TASK_DONE,    0, 0, -1, OWES_NOTHING},
};

static const struct row end_joined_rows[] = {
    {end,     TASK_RUNNING, TASK_DONE,    0, 0,  0, OWES_JOINER},
    {end,     TASK_REWOKEN, TASK_DONE,    0, 0,  0, OWES_JOINER},
};
/* clang-format on */

static void
every_transition(void)
{
    CHECK_ROWS(rows, 0, 0);
}

static void
end_owes_the_joiner_if_there_is_one(void)
{
    CHECK_ROWS(end_rows, 0, TASK_JOINING);
    CHECK_ROWS(end_joined_rows, TASK_JOINING, 0);
}

static int
joining(uint32_t *word)
{
    return task_joining(word);
}

static int
unjoining(uint32_t *word)
{
    return task_unjoining(word);
}

static int
begin_idle(uint32_t *word)
{
    return task_begin_idle(word);
}

/* clang-format off */
static const struct row join_rows[] = {
    {joining,    TASK_IDLE,    TASK_IDLE,    TASK_JOINING, 0, 0, 1},
    {joining,    TASK_QUEUED,  TASK_QUEUED,  TASK_JOINING, 0, 0, 1},
    {joining,    TASK_RUNNING, TASK_RUNNING, TASK_JOINING, 0, 0, 1},
    {joining,    TASK_REWOKEN, TASK_REWOKEN, TASK_JOINING, 0, 0, 1},
    {joining,    TASK_DONE,    TASK_DONE,    0,            0, 0, 0},
    {unjoining,  TASK_IDLE,    TASK_IDLE,    0, TASK_JOINING, 0, 1},
    {unjoining,  TASK_QUEUED,  TASK_QUEUED,  0, TASK_JOINING, 0, 1},
    {unjoining,  TASK_RUNNING, TASK_RUNNING, 0, TASK_JOINING, 0, 1},
    {unjoining,  TASK_REWOKEN, TASK_REWOKEN, 0, TASK_JOINING, 0, 1},
    {unjoining,  TASK_DONE,    TASK_DONE,    0, 0,            0, 0},
    {begin_idle, TASK_IDLE,    TASK_RUNNING, 0, 0,           +1, 1},
    {begin_idle, TASK_QUEUED,  TASK_QUEUED,  0, 0,            0, 0},
    {begin_idle, TASK_RUNNING, TASK_RUNNING, 0, 0,            0, 0},
    {begin_idle, TASK_REWOKEN, TASK_REWOKEN, 0, 0,            0, 0},
    {begin_idle, TASK_DONE,    TASK_DONE,    0, 0,            0, 0},
};
/* clang-format on */

static void
joiner_and_looker_are_told_whether_they_may(void)
{
    CHECK_ROWS(join_rows, 0, 0);
}

static void
looker_leaves_a_free_slot_alone(void)
{
    uint32_t word = 0;

    CHECK_EQ(task_begin_idle(&word), 0);
    CHECK_EQ(word, 0);
}

static void
last_reference_owes_free(void)
{
    uint32_t word = word_of(TASK_RUNNING, 0, 1);

    CHECK_EQ(task_end(&word), OWES_FREE);
    CHECK_EQ(word, word_of(TASK_DONE, 0, 0));
    word = word_of(TASK_REWOKEN, TASK_CANCELLED, 1);
    CHECK_EQ(task_end(&word), OWES_FREE);
    word = word_of(TASK_DONE, TASK_JOINING, 2);
    CHECK_EQ(task_unref(&word), OWES_NOTHING);
    CHECK_EQ(task_unref(&word), OWES_FREE);
    word = word_of(TASK_DONE, TASK_JOINING, 2);
    CHECK_EQ(task_wake_unref(&word), OWES_NOTHING);
    CHECK_EQ(task_wake_unref(&word), OWES_FREE);
    CHECK_EQ(word, word_of(TASK_DONE, TASK_JOINING, 0));
}

/* The life's reference outlasts the wake of the joiner, who drops the handle.
 */
static void
joiner_that_drops_the_handle_first_does_not_free(void)
{
    uint32_t word = word_of(TASK_RUNNING, TASK_JOINING, 2);

    CHECK_EQ(task_end(&word), OWES_JOINER);
    CHECK_EQ(task_unref(&word), OWES_NOTHING); // the joiner's
    CHECK_EQ(task_unref(&word), OWES_FREE);    // the life's
}

/* --- threads --- */

enum {
    WAKERS = 2,
    RUNNER = WAKERS,
    JOINER,
    CREW, // members of it
    ROUNDS = 1500,
    WAKES = 60,
};

static uint32_t word;
static int queued;      // entries on an imaginary run queue
static uint64_t posted; // what wakers have left to be seen by a poll
static int wakers_left;
static int frees, joins;
static uint64_t result; // plain: published by the end
static uint64_t
    touched; // plain: by whoever holds a reference; freed by the last

static void
enqueue(void)
{
    CHECK_EQ(poni_add(&queued, 1), 0); // never twice
}

static void
pay(enum task_owes owes)
{
    if (owes == OWES_ENQUEUE)
        enqueue();
    else if (owes == OWES_FREE)
        poni_add(&frees, 1);
}

/* The last of these may free: nobody else is in here then. */
static void
drop_reference(void)
{
    enum task_owes owes = task_unref(&word);

    if (owes == OWES_FREE)
        touched = 0; // TSan: a race with any late reader
    pay(owes);
}

static void
waker_work(int who)
{
    for (int i = 0; i < WAKES; i++) {
        poni_add_relaxed(&posted, 1);
        pay(who == 0 && i == WAKES / 2 ? task_cancel(&word) : task_wake(&word));
    }
    poni_sub(&wakers_left, 1);
    CHECK(poni_load_relaxed(&touched) != 0); // it is still the task's
    drop_reference();
}

/* Takes the task off the queue. 0: nobody will ever put it there. */
static int
runner_take(void)
{
    while (poni_load_acquire(&queued) == 0) {
        if (poni_load_acquire(&wakers_left) == 0 &&
            poni_load_acquire(&queued) == 0)
            return 0;
        crew_relax();
    }
    CHECK_EQ(poni_sub(&queued, 1), 1);
    return 1;
}

/* Polls as often as it is queued. Ends with wakers about in odd rounds; in even
 * ones when nobody is left to wake it, and then it has seen all. */
static void
runner_work(int round)
{
    uint64_t seen = 0;

    while (runner_take()) {
        (void)task_begin(&word);
        seen = poni_load_relaxed(&posted);
        if (round % 2 && seen >= WAKES)
            goto end;
        pay(task_pending(&word));
    }
    CHECK_EQ(seen, WAKERS * WAKES);
    CHECK_EQ(task_wake(&word), OWES_ENQUEUE);
    (void)task_begin(&word);
end:
    result = seen;
    switch (task_end(&word)) {
    case OWES_JOINER:
        poni_add(&joins, 1);
        drop_reference();
        break;
    case OWES_FREE:
        poni_add(&frees, 1);
        break;
    default:
        break;
    }
}

/* Joins and changes its waker again and again; then has the handle dropped. */
static void
joiner_work(void)
{
    int joined = 0;

    while (task_joining(&word)) {
        joined = 1;
        crew_relax();
        if (!task_unjoining(&word))
            break;
        joined = 0;
    }
    CHECK_EQ(task_phase(poni_load_acquire(&word)), TASK_DONE);
    CHECK(result >= WAKES);
    while (joined && poni_load_acquire(&joins) == 0)
        crew_relax();
    CHECK_EQ(poni_load_acquire(&joins),
             joined); // woken if and only if it waits
    drop_reference();
}

static void
one_life(int who, int round)
{
    if (who < WAKERS)
        waker_work(who);
    else if (who == RUNNER)
        runner_work(round);
    else
        joiner_work();
}

static void
lives(int who)
{
    for (int i = 0; i < ROUNDS; i++) {
        if (who == 0) {
            word = word_of(TASK_QUEUED, 0, WAKERS + 2);
            queued = 1;
            posted = 0;
            touched = 1;
            frees = joins = 0;
            wakers_left = WAKERS;
        }
        crew_meet();
        one_life(who, i);
        crew_meet();
        CHECK_EQ(frees, 1);
        CHECK_EQ(task_refs(word), 0);
        crew_meet();
    }
}

static void
a_task_is_queued_once_polled_for_each_wake_and_freed_once(void)
{
    crew_run(CREW, lives);
}

/* --- each change is one step --- */

enum { CHANGES = 200000 };

/* One ends the task and brings it back to life, the others wake it, and take
 * references and give them back: nobody's change undoes another's. */
static void
change(int who)
{
    for (int i = 0; i < CHANGES; i++) {
        if (who == 0) {
            CHECK_EQ(task_end(&word), OWES_NOTHING);
            poni_add(&word, TASK_RUNNING - TASK_DONE + TASK_REF);
        } else if (who == 1) {
            CHECK_EQ(task_wake(&word), OWES_NOTHING);
        } else {
            task_ref(&word);
            CHECK_EQ(task_unref(&word), OWES_NOTHING);
        }
    }
}

static void
changes_at_once_add_up(void)
{
    word = word_of(TASK_RUNNING, 0, 4);
    crew_run(4, change);
    CHECK_EQ(task_refs(word), 4);
}

/* --- a yield stays RUNNING on its queue --- */

static uint64_t last_seen;

static void
yielder(int who)
{
    if (who > 0) {
        for (int i = 0; i < WAKES * ROUNDS / 4; i++) {
            poni_add_relaxed(&posted, 1);
            pay(task_wake(&word));
        }
        poni_sub(&wakers_left, 1);
        return;
    }
    /* Runs without a break: begin, and yield instead of pending. */
    while (poni_load_acquire(&wakers_left) > 0) {
        (void)task_begin(&word);
        last_seen = poni_load_relaxed(&posted);
    }
    (void)task_begin(&word);
    last_seen = poni_load_relaxed(&posted);
}

static void
a_task_that_yields_is_queued_by_nobody_else(void)
{
    word = word_of(TASK_RUNNING, 0, 3);
    wakers_left = WAKERS;
    crew_run(1 + WAKERS, yielder);
    CHECK_EQ(queued, 0);
    CHECK_EQ(last_seen, posted);
    CHECK_EQ(task_pending(&word), OWES_ENQUEUE); // woken while it stood there
    CHECK_EQ(word, word_of(TASK_QUEUED, 0, 3));
}

/* --- looking at an idle task keeps nobody's wake --- */

static void
look_and_wake(int who)
{
    if (who > 0) {
        for (int i = 0; i < WAKES * 20; i++) {
            poni_add_relaxed(&posted, 1);
            pay(task_wake(&word));
        }
        poni_sub(&wakers_left, 1);
        return;
    }
    for (int i = 0; i < WAKES * 200; i++)
        if (task_begin_idle(&word)) {
            pay(task_pending(&word));
            CHECK_EQ(task_unref(&word), OWES_NOTHING);
        }
}

static void
run_what_is_queued(int who)
{
    if (who != RUNNER) {
        look_and_wake(who);
        return;
    }
    while (runner_take()) {
        (void)task_begin(&word);
        last_seen = poni_load_relaxed(&posted);
        pay(task_pending(&word));
    }
}

static void
a_look_at_an_idle_task_loses_no_wake(void)
{
    word = word_of(TASK_IDLE, 0, 2);
    wakers_left = WAKERS - 1;
    crew_run(RUNNER + 1, run_what_is_queued);
    while (queued > 0) { // left by a look at the very end
        queued--;
        (void)task_begin(&word);
        last_seen = posted;
        CHECK_EQ(task_pending(&word), OWES_NOTHING);
    }
    CHECK_EQ(last_seen, posted);
    CHECK_EQ(word, word_of(TASK_IDLE, 0, 2));
}

static const struct unit_test tests[] = {
    {"every_transition", every_transition},
    {"end_owes_the_joiner_if_there_is_one",
     end_owes_the_joiner_if_there_is_one},
    {"joiner_and_looker_are_told_whether_they_may",
     joiner_and_looker_are_told_whether_they_may},
    {"looker_leaves_a_free_slot_alone", looker_leaves_a_free_slot_alone},
    {"last_reference_owes_free", last_reference_owes_free},
    {"joiner_that_drops_the_handle_first_does_not_free",
     joiner_that_drops_the_handle_first_does_not_free},
    {"a_task_is_queued_once_polled_for_each_wake_and_freed_once",
     a_task_is_queued_once_polled_for_each_wake_and_freed_once},
    {"changes_at_once_add_up", changes_at_once_add_up},
    {"a_task_that_yields_is_queued_by_nobody_else",
     a_task_that_yields_is_queued_by_nobody_else},
    {"a_look_at_an_idle_task_loses_no_wake",
     a_look_at_an_idle_task_loses_no_wake},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("task_state", tests, argc, argv);
}
