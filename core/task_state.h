/* SPDX-License-Identifier: MIT */
#ifndef PONI_TASK_STATE_H
#define PONI_TASK_STATE_H

/*
 * core/task_state.h - the life of a task, in one word.
 *
 *               wake               begin               end
 *      IDLE ----------> QUEUED ----------> RUNNING ----------> DONE
 *       ^                 ^                 |   |               ^
 *       |     pending     |                 |   | wake          | end
 *       +-----------------|-----------------+   v               |
 *                         +------------------- REWOKEN ---------+
 *                               pending
 *
 *   phase     on a run queue   who may touch the future   wake does
 *   IDLE      no               nobody                     -> QUEUED
 *   QUEUED    once             nobody                     nothing
 *   RUNNING   if it yielded    the thread that runs it    -> REWOKEN
 *   REWOKEN   if it yielded    the thread that runs it    nothing
 *   DONE      no               the joiner (its result)    nothing
 *
 * A task that yields is put on a queue by the thread that runs it and stays
 * RUNNING there: who takes it off is the thread that runs it from then on. That
 * spares two atomic operations in the commonest turn of all.
 *
 * begin also takes an IDLE task for a moment, to look at it (core/dump.c): the
 * looker is then "the thread that runs it", and gives it back by pending.
 *
 * Beside the phase the word holds two flags and the reference count. CANCELLED
 * is sticky. JOINING says that task->joiner holds a waker. One reference
 * belongs to the life itself, from spawn to the end of DONE's transition, one
 * to the handle, one to each waker; a run queue needs none.
 *
 * Only the functions below change the word. Each is one read-modify-write, but
 * for the last unref, and returns what its caller now owes; paying that debt is
 * the caller's whole job. Each also releases and acquires, so that the next
 * poll sees what a waker wrote: which is why a wake that changes nothing still
 * writes the word.
 */

#include "atomic.h"
#include "pons/base.h"

enum task_phase {
    TASK_IDLE,
    TASK_QUEUED,
    TASK_RUNNING,
    TASK_REWOKEN,
    TASK_DONE,
};

enum {
    TASK_PHASE = 7u,
    TASK_CANCELLED = 8u,
    TASK_JOINING = 16u,
    TASK_REF = 32u,
};

enum task_owes {
    OWES_NOTHING,
    OWES_ENQUEUE, // put the task on a run queue
    OWES_JOINER,  // wake task->joiner, then give up the life's reference
    OWES_FREE,    // that was the last reference
};

static inline enum task_phase
task_phase(uint32_t word)
{
    return (enum task_phase)(word & TASK_PHASE);
}

static inline uint32_t
task_move(uint32_t word, enum task_phase to)
{
    return (word & ~(uint32_t)TASK_PHASE) | (uint32_t)to;
}

static inline uint32_t
task_refs(uint32_t word)
{
    return word / TASK_REF;
}

static inline uint32_t
task_after_wake(uint32_t word)
{
    switch (task_phase(word)) {
    case TASK_IDLE:
        return task_move(word, TASK_QUEUED);
    case TASK_RUNNING:
        return task_move(word, TASK_REWOKEN);
    case TASK_QUEUED:
    case TASK_REWOKEN:
    case TASK_DONE:
        break;
    }
    return word;
}

/* Adds `flags` and wakes. The whole of wake and of cancel. */
static inline enum task_owes
task_wake_with(uint32_t *word, uint32_t flags)
{
    uint32_t old = poni_load_relaxed(word);

    while (!poni_cas(word, &old, task_after_wake(old | flags)))
        continue;
    return task_phase(old) == TASK_IDLE ? OWES_ENQUEUE : OWES_NOTHING;
}

/* Any thread that holds a reference, which it keeps. */
PONS_MUST_USE static inline enum task_owes
task_wake(uint32_t *word)
{
    return task_wake_with(word, 0);
}

/* Any thread that holds a reference, which it keeps. */
PONS_MUST_USE static inline enum task_owes
task_cancel(uint32_t *word)
{
    return task_wake_with(word, TASK_CANCELLED);
}

/*
 * The thread that took the task off a run queue: QUEUED -> RUNNING. Nobody else
 * leaves QUEUED, so adding one is the transition. One that has yielded is
 * RUNNING or REWOKEN still. Returns the word before.
 */
static inline uint32_t
task_begin(uint32_t *word)
{
    /* Acquire pairs with a wake that found it yielded. */
    uint32_t now = poni_load_acquire(word);

    if (task_phase(now) != TASK_QUEUED)
        return now;
    return poni_add(word, TASK_RUNNING - TASK_QUEUED);
}

/* IDLE -> RUNNING, with a reference, to look at it. 0: it was not IDLE. */
static inline int
task_begin_idle(uint32_t *word)
{
    uint32_t old = poni_load_relaxed(word);

    while (task_phase(old) == TASK_IDLE && task_refs(old) > 0)
        if (poni_cas(word, &old, task_move(old, TASK_RUNNING) + TASK_REF))
            return 1;
    return 0;
}

/* The poll answered PONS_PENDING. Unless it owes, the caller has let go. */
PONS_MUST_USE static inline enum task_owes
task_pending(uint32_t *word)
{
    uint32_t old = poni_load_relaxed(word), next;

    do {
        next = task_move(old, task_phase(old) == TASK_REWOKEN ? TASK_QUEUED
                                                              : TASK_IDLE);
    } while (!poni_cas(word, &old, next));
    return task_phase(old) == TASK_REWOKEN ? OWES_ENQUEUE : OWES_NOTHING;
}

/*
 * The last reference to what is DONE is nobody else's: who has none, and comes
 * upon the task in its slab, leaves a DONE one alone (core/dump.c,
 * core/shutdown.c). So it needs no locked operation.
 */
PONS_MUST_USE static inline enum task_owes
task_unref(uint32_t *word)
{
    /* Acquire pairs with the other references' ends. */
    uint32_t now = poni_load_acquire(word);

    if (task_phase(now) == TASK_DONE && task_refs(now) == 1) {
        poni_store_release(word, now - TASK_REF);
        return OWES_FREE;
    }
    return task_refs(poni_sub(word, TASK_REF)) == 1 ? OWES_FREE : OWES_NOTHING;
}

/*
 * A wake that consumes its reference, as one change. Who owes OWES_ENQUEUE may
 * touch the task until then: the life's reference stays while it is QUEUED.
 */
PONS_MUST_USE static inline enum task_owes
task_wake_unref(uint32_t *word)
{
    uint32_t old = poni_load_relaxed(word);

    do {
        if (task_phase(old) == TASK_DONE)
            return task_unref(word);
    } while (!poni_cas(word, &old, task_after_wake(old) - TASK_REF));
    return task_phase(old) == TASK_IDLE ? OWES_ENQUEUE : OWES_NOTHING;
}

static inline void
task_ref(uint32_t *word)
{
    /* Relaxed: who clones a reference holds one, so nothing is published. */
    poni_add_relaxed(word, TASK_REF);
}

/*
 * For who has no reference, and comes upon the task in its slab. 0: it has
 * ended or is not there; else the word before, and the caller has a reference.
 */
static inline uint32_t
task_ref_found(uint32_t *word)
{
    uint32_t old = poni_load_acquire(word);

    do {
        if (task_refs(old) == 0 || task_phase(old) == TASK_DONE)
            return 0;
    } while (!poni_cas(word, &old, old + TASK_REF));
    return old;
}

/*
 * The task has ended, its result is in place and its drop() has run. With a
 * joiner the life's reference stays, for the caller to give up after the wake.
 */
PONS_MUST_USE static inline enum task_owes
task_end(uint32_t *word)
{
    uint32_t old = poni_load_relaxed(word), next;

    do {
        next = task_move(old, TASK_DONE);
        if (!(old & TASK_JOINING))
            next -= TASK_REF;
    } while (!poni_cas(word, &old, next));
    if (old & TASK_JOINING)
        return OWES_JOINER;
    return task_refs(old) == 1 ? OWES_FREE : OWES_NOTHING;
}

/* task->joiner has been written. 0: the task is DONE, and will not look. */
PONS_MUST_USE static inline int
task_joining(uint32_t *word)
{
    uint32_t old = poni_load_acquire(word);

    while (task_phase(old) != TASK_DONE)
        if (poni_cas(word, &old, old | TASK_JOINING))
            return 1;
    return 0;
}

/* task->joiner is about to be written again. 0: DONE, hands off. */
PONS_MUST_USE static inline int
task_unjoining(uint32_t *word)
{
    uint32_t old = poni_load_acquire(word);

    while (task_phase(old) != TASK_DONE)
        if (poni_cas(word, &old, old & ~(uint32_t)TASK_JOINING))
            return 1;
    return 0;
}

#endif /* PONI_TASK_STATE_H */
