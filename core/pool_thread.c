/* SPDX-License-Identifier: MIT */
/*
 * core/pool_thread.c - the life of one thread of a pool.
 *
 *     start -> [turn -> run -> turn -> run ... -> turn -> park -> turn ...]
 *
 * A turn is its one visit under the lock between two jobs: it ends the last job
 * and takes the next, or goes onto the idle stack, or leaves. It is on the
 * stack before done() is called, so that who waited for the job and submits
 * another finds an idle thread, not a reason to start one.
 *
 * The thread that ends joins the one that ended before it, so that at most one
 * is not joined; poni_pool_free() joins that one.
 */

#include "pool_thread.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#include "futex.h"
#include "lock.h"
#include "pons/time.h"
#include "spin.h"
#include "thread.h"

enum { LOOKS = 16 }; // at the word, between two looks at the clock

enum thread_next {
    NEXT_BEGIN, // look into the slot
    NEXT_PARK,
    NEXT_LEAVE,
};

static __thread struct pool_thread *thread_self;

struct pool_thread *
poni_pool_thread(void)
{
    return thread_self;
}

void
poni_pool_run_guest(struct pool_thread *guest)
{
    struct pons_job *job = guest->job;

    guest->outer = thread_self;
    guest->running = job;
    thread_self = guest;
    job->result = guest->pool->run(guest->pool->owner, job);
    thread_self = guest->outer;
}

void
poni_pool_end_jobs(struct pons_job *list, int64_t result)
{
    while (list != NULL) {
        struct pons_job *job = list;

        list = job->next;
        job->result = result;
        job->done(job);
    }
}

void
poni_pool_gone(struct poni_pool *p)
{
    p->alive--;
    if (p->phase != POOL_CLOSING)
        return;
    p->gone++;
    /* With the lock held: without it the pool could be freed before. */
    poni_futex_wake(&p->gone, INT32_MAX);
}

/* --- between two jobs --- */

/* Onto the idle stack, or out. `parked_ns` is how long it has been idle. */
static enum thread_next
thread_idle(struct pool_thread *t, uint64_t parked_ns)
{
    struct poni_pool *p = t->pool;
    uint64_t now = p->view.now_ns, park;

    park = p->phase == POOL_CLOSING
               ? PONS_POOL_EXIT
               : p->policy->ops->on_idle(p->policy, &p->view, parked_ns);
    if (park == PONS_POOL_EXIT)
        return NEXT_LEAVE;
    t->until_ns = park < PONS_NEVER - now ? now + park : PONS_NEVER;
    return NEXT_PARK;
}

static enum thread_next
thread_turn(struct pool_thread *t)
{
    struct poni_pool *p = t->pool;
    uint64_t now = pons_now();
    struct pons_job *ended, *job;
    enum thread_next next = NEXT_BEGIN;

    poni_lock(&p->lock);
    poni_book_clock(p, now);
    ended = t->job;
    if (ended != NULL)
        poni_book_end(p, t, JOB_DONE);
    job = poni_book_take(p);
    if (job != NULL)
        poni_book_give(p, t, job);
    else if ((next = thread_idle(t, 0)) == NEXT_PARK)
        poni_book_push_idle(p, t);
    else
        poni_book_uncount(p);
    poni_unlock(&p->lock);
    return next;
}

/* Its time on the idle stack is over, unless it was claimed just now. */
static enum thread_next
thread_expire(struct pool_thread *t)
{
    struct poni_pool *p = t->pool;
    struct pool_debt debt = {0};
    uint64_t now = pons_now();
    enum thread_next next = NEXT_PARK;
    struct pons_job *job;

    poni_lock(&p->lock);
    poni_book_clock(p, now);
    if (poni_load_relaxed(&t->word) == THREAD_CLAIMED)
        goto unlock;
    if ((job = poni_book_take(p)) != NULL) { // the policy had held it back
        next = NEXT_BEGIN;
        poni_book_pop_idle(p, t);
        poni_store_relaxed(&t->word, (uint32_t)THREAD_AWAKE);
        poni_book_give(p, t, job);
        if (poni_book_queued(p) > 0)
            debt = poni_book_settle(p);
    } else if ((next = thread_idle(t, p->view.now_ns - t->idle_ns)) ==
               NEXT_LEAVE) {
        poni_book_pop_idle(p, t);
        poni_book_uncount(p);
    }
unlock:
    poni_unlock(&p->lock);
    poni_pool_pay(p, debt);
    return next;
}

/* --- idle --- */

/* Looks at its word for a while. 1: it was claimed. */
static int
thread_spin(struct pool_thread *t)
{
    uint64_t ticks = poni_load_relaxed(&t->pool->spin_ns) *
                     poni_ticks_per_us() / 1000,
             began = poni_ticks();
    uint32_t word = THREAD_SPINNING;

    do
        for (int i = 0; ticks > 0 && i < LOOKS; i++) {
            /* Acquire pairs with the claim's swap, which publishes the slot. */
            word = poni_load_acquire(&t->word);
            if (word != THREAD_SPINNING)
                return word == THREAD_CLAIMED;
            poni_pause();
        }
    while (poni_ticks() - began < ticks);
    /* The claim's swap is the partner: it sees ASLEEP, or this fails. */
    return !poni_cas_seq(&t->word, &word, THREAD_ASLEEP) &&
           word == THREAD_CLAIMED;
}

/* Looking pays if claims come within the limit, and from another processor: on
 * our own it is the claimer that we keep from its work. A few that do not, and
 * it is not done until one does. */
static void
thread_learn(const struct pool_thread *t)
{
    struct poni_pool *p = t->pool;
    uint64_t spin = poni_load_relaxed(&p->spin_ns), next = spin / 2;

    if (t->claimed_ns - t->idle_ns <= p->spin_limit_ns &&
        t->claimed_on != sched_getcpu())
        next = p->spin_limit_ns;
    if (next != spin)
        poni_store_relaxed(&p->spin_ns, next);
}

/* It was claimed, and is there. */
static enum thread_next
thread_arrive(struct pool_thread *t)
{
    struct poni_pool *p = t->pool;
    struct pool_debt debt;

    poni_store_relaxed(&t->word, (uint32_t)THREAD_AWAKE);
    if (poni_book_arrive(p)) {
        poni_lock(&p->lock);
        debt = poni_book_settle(p);
        poni_unlock(&p->lock);
        poni_pool_pay(p, debt);
    }
    return NEXT_BEGIN;
}

/* Until it is claimed or its time is over. */
static enum thread_next
thread_park(struct pool_thread *t)
{
    /* Acquire pairs with the claim's swap, which publishes the slot. */
    if (!thread_spin(t))
        while (poni_load_acquire(&t->word) != THREAD_CLAIMED)
            if (poni_futex_wait(&t->word, THREAD_ASLEEP, t->until_ns) ==
                -ETIMEDOUT)
                return thread_expire(t);
    thread_learn(t);
    return thread_arrive(t);
}

/* --- its life --- */

/* The job it was given, if nobody has taken it back. */
static struct pons_job *
thread_begin(struct pool_thread *t)
{
    /* Pairs with the swap in poni_book_retract(). */
    return poni_swap(&t->slot, NULL);
}

static enum thread_next
thread_run(struct pool_thread *t, struct pons_job *job)
{
    enum thread_next next;

    t->running = job;
    job->result = t->pool->run(t->pool->owner, job);
    t->running = NULL;
    next = thread_turn(t);
    job->done(job);
    return next;
}

/* It was counted as idle, so that submits have called nobody else. */
static enum thread_next
thread_look(struct pool_thread *t)
{
    struct poni_pool *p = t->pool;
    struct pool_debt debt = {0};
    enum thread_next next = thread_turn(t);

    poni_lock(&p->lock);
    if (poni_book_queued(p) > 0)
        debt = poni_book_settle(p);
    poni_unlock(&p->lock);
    poni_pool_pay(p, debt);
    return next;
}

/* Is told of a shutdown from here on; waits for its time to begin. */
static void
thread_enter(struct pool_thread *t)
{
    struct poni_pool *p = t->pool;
    enum pool_phase phase;

    poni_lock(&p->lock);
    poni_book_link(p, t);
    phase = p->phase;
    poni_unlock(&p->lock);
    while (phase == POOL_OPEN && t->not_before_ns > 0 &&
           poni_load_acquire(&t->word) == THREAD_AWAKE)
        if (poni_futex_wait(&t->word, THREAD_AWAKE, t->not_before_ns) ==
            -ETIMEDOUT)
            break;
}

static void
thread_join(struct pool_thread *t)
{
    pthread_join(t->id, NULL);
    free(t);
}

static void
thread_leave(struct pool_thread *t)
{
    struct poni_pool *p = t->pool;
    struct pool_thread *before;

    poni_lock(&p->lock);
    before = p->ended;
    p->ended = t;
    poni_book_delink(p, t);
    poni_pool_gone(p); // whoever waited may join us now, and free `t`
    poni_unlock(&p->lock);
    if (before != NULL)
        thread_join(before);
}

static void *
thread_main(void *arg)
{
    struct pool_thread *t = arg;
    enum thread_next next = NEXT_BEGIN;
    struct pons_job *job;

    thread_self = t;
    t->id = pthread_self();
    (void)pthread_setname_np(t->id, "pons-pool");
    thread_enter(t);
    while (next != NEXT_LEAVE) {
        if (next == NEXT_PARK)
            next = thread_park(t);
        else if ((job = thread_begin(t)) != NULL)
            next = thread_run(t, job);
        else
            next = thread_look(t);
    }
    thread_leave(t);
    return NULL;
}

static int
thread_new(struct poni_pool *p, uint64_t not_before_ns)
{
    struct pool_thread *t;
    pthread_t id; // the thread's own business
    int too_many;

    poni_lock(&p->lock);
    too_many = p->alive > POOL_THREADS_HARD;
    poni_unlock(&p->lock);
    if (too_many)
        return -EAGAIN;
    t = aligned_alloc(_Alignof(struct pool_thread), sizeof *t);
    if (t == NULL)
        return -EAGAIN;
    *t = (struct pool_thread){.pool = p, .not_before_ns = not_before_ns};
    if (poni_thread_start(&id, thread_main, t) == 0)
        return 0;
    free(t);
    return -EAGAIN;
}

int
poni_pool_start(struct poni_pool *p, uint64_t not_before_ns)
{
    struct pons_job *orphans = NULL;

    if (thread_new(p, not_before_ns) == 0)
        return 0;
    poni_lock(&p->lock);
    poni_book_uncount(p);
    p->view.spawn_refused++;
    (void)p->policy->ops->on_tick(p->policy, &p->view); // only to tell it
    if (p->view.threads == 0)
        orphans = poni_book_drop_queued(p);
    poni_pool_gone(p);
    poni_unlock(&p->lock);
    poni_pool_end_jobs(orphans, -EAGAIN);
    return -EAGAIN;
}

/* The thread that we start may run the job that gives up the last handle: the
 * pool stays until we have looked whether another is wanted. */
static void
pool_start_owed(struct poni_pool *p, struct pool_debt debt)
{
    poni_lock(&p->lock); // it is there: the thread that is owed is counted
    p->alive++;
    poni_unlock(&p->lock);
    while (debt.start && poni_pool_start(p, debt.not_before_ns) == 0) {
        poni_lock(&p->lock);
        debt = poni_book_grow(p);
        poni_unlock(&p->lock);
    }
    poni_lock(&p->lock);
    poni_pool_gone(p);
    poni_unlock(&p->lock);
}

void
poni_pool_pay(struct poni_pool *p, struct pool_debt debt)
{
    if (debt.wake != NULL)
        poni_futex_wake(debt.wake, 1);
    if (debt.start)
        pool_start_owed(p, debt);
}
