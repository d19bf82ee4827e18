/* SPDX-License-Identifier: MIT */
/*
 * core/pool_book.c - see core/pool_book.h.
 *
 * Nothing here calls the system, allocates or waits: it all runs under the
 * pool's lock. The policy is asked here, and its answers are made safe.
 */

#include "pool_book.h"

#include <sched.h>

void
poni_book_clock(struct poni_pool *p, uint64_t now_ns)
{
    if (p->view.now_ns < now_ns)
        p->view.now_ns = now_ns;
}

/* --- queues --- */

uint32_t
poni_book_queued(const struct poni_pool *p)
{
    uint32_t n = 0;

    for (int k = 0; k < PONS_CLASSES; k++)
        n += p->view.queued_class[k];
    return n;
}

static uint32_t
book_busy(const struct poni_pool *p)
{
    uint32_t n = 0;

    for (int k = 0; k < PONS_CLASSES; k++)
        n += p->view.busy_class[k];
    return n;
}

static void
book_find_oldest(struct poni_pool *p)
{
    uint64_t oldest = 0;

    for (int k = 0; k < PONS_CLASSES; k++) {
        const struct pons_job *first = p->queues[k].first;

        if (first != NULL && (oldest == 0 || first->queued_ns < oldest))
            oldest = first->queued_ns;
    }
    p->view.oldest_ns = oldest;
}

/* Relaxed: poni_job_asked() reads it without the lock, and wants no more of it
 * than that it is seen some time. */
static void
job_set(struct pons_job *job, enum job_state state)
{
    poni_store_relaxed(&job->state, (uint32_t)state);
}

void
poni_book_enqueue(struct poni_pool *p, struct pons_job *job)
{
    struct pool_queue *q = &p->queues[job->job_class];

    job_set(job, JOB_QUEUED);
    job->next = NULL;
    job->previous = q->last;
    if (q->last != NULL)
        q->last->next = job;
    else
        q->first = job;
    q->last = job;
    p->view.queued_class[job->job_class]++;
    if (p->view.oldest_ns == 0)
        p->view.oldest_ns = job->queued_ns; // else an older one has set it
}

void
poni_book_unlink(struct poni_pool *p, struct pons_job *job)
{
    struct pool_queue *q = &p->queues[job->job_class];

    if (job->previous != NULL)
        job->previous->next = job->next;
    else
        q->first = job->next;
    if (job->next != NULL)
        job->next->previous = job->previous;
    else
        q->last = job->previous;
    p->view.queued_class[job->job_class]--;
    book_find_oldest(p);
}

/* The class to take from. NONE stands only while a job is running: when it ends
 * the policy is asked again (B2). Some queue is not empty. */
static uint32_t
book_pick(struct poni_pool *p)
{
    uint32_t k = p->policy->ops->pick(p->policy, &p->view);

    if (k == PONS_POOL_NONE && book_busy(p) > 0)
        return k;
    if (k < PONS_CLASSES && p->view.queued_class[k] > 0)
        return k;
    for (k = 0; p->view.queued_class[k] == 0; k++)
        continue;
    return k;
}

struct pons_job *
poni_book_take(struct poni_pool *p)
{
    struct pons_job *job;
    uint32_t k;

    if (poni_book_queued(p) == 0 || (k = book_pick(p)) == PONS_POOL_NONE)
        return NULL;
    job = p->queues[k].first;
    poni_book_unlink(p, job);
    return job;
}

struct pons_job *
poni_book_drop_queued(struct poni_pool *p)
{
    struct pons_job *list = NULL, **end = &list;

    for (int k = 0; k < PONS_CLASSES; k++) {
        struct pons_job *job = p->queues[k].first;

        *end = job;
        for (; job != NULL; job = job->next) {
            job_set(job, JOB_CANCELLED);
            end = &job->next;
        }
        p->queues[k] = (struct pool_queue){0};
        p->view.queued_class[k] = 0;
    }
    p->view.oldest_ns = 0;
    return list;
}

/* --- jobs and their threads --- */

void
poni_book_give(struct poni_pool *p, struct pool_thread *t, struct pons_job *job)
{
    job_set(job, JOB_GIVEN);
    job->thread = t;
    t->job = job;
    /* Relaxed: the claim, or the thread itself, publishes it. */
    poni_store_relaxed(&t->slot, job);
    p->view.idle--;
    p->view.busy_class[job->job_class]++;
}

void
poni_book_end(struct poni_pool *p, struct pool_thread *t, enum job_state state)
{
    struct pons_job *job = t->job;

    p->view.idle++;
    p->view.busy_class[job->job_class]--;
    p->view.completed += state == JOB_DONE;
    t->job = NULL;
    job_set(job, state);
}

int
poni_book_retract(struct poni_pool *p, struct pool_thread *t)
{
    /* Pairs with the swap in thread_begin(): one of the two has the job. */
    if (poni_swap(&t->slot, NULL) == NULL)
        return 0;
    poni_book_end(p, t, JOB_CANCELLED);
    return 1;
}

/* --- threads --- */

/* The latest on top, alone to spin: who spun before it goes to sleep. */
void
poni_book_push_idle(struct poni_pool *p, struct pool_thread *t)
{
    uint32_t spinning = THREAD_SPINNING;

    t->newer = NULL;
    t->older = p->idle;
    if (p->idle != NULL) {
        p->idle->newer = t;
        /* Strong, and it may fail: the thread has gone to sleep by itself. */
        (void)poni_cas_seq(&p->idle->word, &spinning, THREAD_ASLEEP);
    }
    p->idle = t;
    t->idle_ns = p->view.now_ns;
    poni_store_relaxed(&t->word, (uint32_t)THREAD_SPINNING);
}

void
poni_book_pop_idle(struct poni_pool *p, struct pool_thread *t)
{
    if (t->newer != NULL)
        t->newer->older = t->older;
    else
        p->idle = t->older;
    if (t->older != NULL)
        t->older->newer = t->newer;
}

uint32_t *
poni_book_claim(struct poni_pool *p, struct pool_thread *t)
{
    t->claimed_ns = p->view.now_ns;
    t->claimed_on = sched_getcpu();
    /* Releases the slot to the acquire in thread_park(). */
    return poni_swap(&t->word, (uint32_t)THREAD_CLAIMED) == THREAD_ASLEEP
               ? &t->word
               : NULL;
}

void
poni_book_link(struct poni_pool *p, struct pool_thread *t)
{
    t->previous = NULL;
    t->next = p->all;
    if (p->all != NULL)
        p->all->previous = t;
    p->all = t;
}

void
poni_book_delink(struct poni_pool *p, struct pool_thread *t)
{
    if (t->previous != NULL)
        t->previous->next = t->next;
    else
        p->all = t->next;
    if (t->next != NULL)
        t->next->previous = t->previous;
}

void
poni_book_count(struct poni_pool *p)
{
    p->view.threads++;
    p->view.idle++;
    p->alive++;
}

void
poni_book_uncount(struct poni_pool *p)
{
    p->view.threads--;
    p->view.idle--;
}

/* --- what is owed --- */

struct pool_debt
poni_book_grow(struct poni_pool *p)
{
    struct pool_debt debt = {0};
    struct pons_pool_target want;

    if (p->phase == POOL_CLOSING)
        return debt;
    want = p->policy->ops->on_tick(p->policy, &p->view);
    if (p->view.threads == 0 && poni_book_queued(p) > 0 && want.threads == 0)
        want = (struct pons_pool_target){.threads = 1}; // B2
    if (want.threads <= p->view.threads)
        return debt;
    poni_book_count(p);
    debt.start = 1;
    debt.not_before_ns = want.not_before_ns;
    return debt;
}

/* Leaves it to the thread that is on its way, if there is one. */
static int
book_defer(struct poni_pool *p)
{
    uint32_t out = CALL_OUT;

    /* Pairs with the swap in poni_book_arrive(): one of the two settles. */
    return poni_cas_seq(&p->call, &out, CALL_OWES) || out == CALL_OWES;
}

struct pool_debt
poni_book_settle(struct poni_pool *p)
{
    struct pool_thread *t = p->idle;
    struct pons_job *job;

    if (book_defer(p))
        return (struct pool_debt){0};
    if (t == NULL || (job = poni_book_take(p)) == NULL)
        return poni_book_grow(p);
    poni_book_pop_idle(p, t);
    poni_book_give(p, t, job);
    poni_store_relaxed(&p->call,
                       poni_book_queued(p) > 0 ? CALL_OWES : CALL_OUT);
    return (struct pool_debt){.wake = poni_book_claim(p, t)};
}

int
poni_book_arrive(struct poni_pool *p)
{
    return poni_swap_seq(&p->call, CALL_NONE) == CALL_OWES;
}
