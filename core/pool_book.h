/* SPDX-License-Identifier: MIT */
#ifndef PONI_POOL_BOOK_H
#define PONI_POOL_BOOK_H

/*
 * core/pool_book.h - what a pool knows under its lock: who is where.
 *
 * The life of a job (struct pons_job.state), written under the lock only:
 *
 *            enqueue            give              fn returned
 *     NEW -----------> QUEUED -------> GIVEN ---------------------> DONE
 *                        |             |   |                          ^
 *                 cancel |      cancel |   | cancel       fn returned |
 *                        v  (in slot)  |   +-----------> ASKED -------+
 *                    CANCELLED <-------+    (slot empty)
 *
 *   state      where it is                              cancel
 *   NEW        not here                                 does nothing
 *   QUEUED     on queues[job_class]                     unlinks it
 *   GIVEN      its thread's `job`; and its `slot`,      empties the slot, or
 *              until that thread has begun              else asks
 *   ASKED      its thread's `job`                       does nothing
 *   DONE       nowhere: fn has returned                 does nothing
 *   CANCELLED  nowhere: fn will not be called           does nothing
 *
 * Whoever swaps the slot to NULL owns the beginning: the thread runs the job, a
 * cancel or a shutdown ends it. A thread without a job counts as idle, whether
 * it sleeps, starts or looks; one with a job as busy, unless the job waits for
 * another:
 *
 *     view.threads = view.idle + sum of view.busy_class
 *
 * So `idle` threads have been promised to look at the queues before they sleep,
 * and while jobs are queued there is a thread, or a debt to start one.
 */

#include <pthread.h>

#include "atomic.h"
#include "pool.h"

enum job_state {
    JOB_NEW,
    JOB_QUEUED,
    JOB_GIVEN,
    JOB_ASKED,
    JOB_DONE,
    JOB_CANCELLED,
};

/*
 * How a thread is reached (struct pool_thread.word):
 *
 *            park                 no luck, or another
 *     AWAKE -------> SPINNING ----- went idle -------> ASLEEP
 *       ^               | claim                          | claim
 *       +--- CLAIMED <--+--------------------------------+
 *
 * SPINNING and ASLEEP are on the idle stack. At most its top is SPINNING: the
 * thread that claims come to first. To CLAIMED only under the lock.
 */
enum thread_word {
    THREAD_AWAKE,
    THREAD_SPINNING,
    THREAD_ASLEEP,
    THREAD_CLAIMED,
};

/*
 * At most one claimed thread is on its way: a wake costs its waker more than a
 * short job takes. Jobs that come meanwhile are left to it; it settles for them
 * when it is there, before it begins its own (struct poni_pool.call):
 *
 *              claim              settle
 *     NONE ------------> OUT ----------------> OWES
 *       ^                 | arrives              | arrives, and settles
 *       +-----------------+----------------------+
 *
 * All but the arrival under the lock. Beyond the jobs that the policy holds
 * back, a job is QUEUED only while no thread is on the idle stack, or the call
 * OWES.
 */
enum pool_call { CALL_NONE, CALL_OUT, CALL_OWES };

struct pool_thread {
    /* Its own. */
    struct poni_pool *pool;
    pthread_t id;
    struct pons_job *running;
    uint32_t guest;            // a submitter that runs its own job
    struct pool_thread *outer; // of a guest: what its thread was, or NULL
    uint32_t waits;            // nested poni_pool_wait_begin()
    uint64_t not_before_ns;    // to look for the first job

    /* The lock's. */
    struct pons_job *job;                // it has; NULL: counts as idle
    struct pool_thread *newer, *older;   // while on the idle stack
    struct pool_thread *next, *previous; // among p->all
    uint64_t idle_ns, claimed_ns; // when it went idle; when it was claimed
    int claimed_on;               // the processor of who did
    uint64_t until_ns;            // asks the policy again then

    /* Any thread's. */
    __attribute__((aligned(64))) uint32_t word; // enum thread_word; its futex
    struct pons_job *slot;                      // a job to begin with
};

/* What a change under the lock makes owed outside of it. Pay it by
 * poni_pool_pay(). */
struct pool_debt {
    uint32_t *wake; // a futex word; its thread may be gone, which is harmless
    uint32_t start; // a thread that is counted already
    uint64_t not_before_ns;
};

struct pool_queue {
    struct pons_job *first, *last; // QUEUED jobs, oldest first
};

enum pool_phase { POOL_OPEN, POOL_CLOSING };

enum {
    POOL_THREADS_HARD = 16384, // in all: a process has 65,530 mappings, and a
                               // thread's stack with its guard takes two
};

struct poni_pool {
    /* Set once, before the first thread starts. */
    struct pons_pool_policy *policy;
    poni_pool_run_f *run;
    void *owner;
    uint64_t spin_limit_ns;

    uint64_t spin_ns; // how long to look before the next sleep; adapts; relaxed
    uint32_t gone;    // changes when a thread has ended while CLOSING; a futex

    /* The lock's, also the view. */
    __attribute__((aligned(64))) uint32_t lock;
    uint32_t call; // enum pool_call; arrivals come without the lock
    enum pool_phase phase;
    struct pool_queue queues[PONS_CLASSES];
    struct pool_thread *idle; // the stack: the latest first
    struct pons_pool_view view __attribute__((aligned(64)));
    uint64_t jobs, refused;
    struct pool_thread *all;   // alive, and guests: submitters that run a job
    struct pool_thread *ended; // who ended last; not joined yet
    uint32_t alive;            // of `all`, being started, and who starts one
};

/* All of these under the lock. */

/* Now; the view's clock does not go back. */
void poni_book_clock(struct poni_pool *p, uint64_t now_ns);

uint32_t poni_book_queued(const struct poni_pool *p);
void poni_book_enqueue(struct poni_pool *p, struct pons_job *job);
void poni_book_unlink(struct poni_pool *p, struct pons_job *job);

/* The next job as the policy wants it, off its queue; NULL: none now. */
struct pons_job *poni_book_take(struct poni_pool *p);

/* `t`, that has none, gets a QUEUED or new job; or its job ends in `state`. */
void poni_book_give(struct poni_pool *p, struct pool_thread *t,
                    struct pons_job *job);
void poni_book_end(struct poni_pool *p, struct pool_thread *t,
                   enum job_state state);

/* Takes back a job that its thread has not begun. 0: it has. */
int poni_book_retract(struct poni_pool *p, struct pool_thread *t);

/* The idle stack. Who is claimed looks into its slot, then at the queues. */
void poni_book_push_idle(struct poni_pool *p, struct pool_thread *t);
void poni_book_pop_idle(struct poni_pool *p, struct pool_thread *t);
uint32_t *poni_book_claim(struct poni_pool *p, struct pool_thread *t);

/* Not under the lock: a claimed thread is there. 1: it has to settle. */
int poni_book_arrive(struct poni_pool *p);

/* Into p->all, and out. */
void poni_book_link(struct poni_pool *p, struct pool_thread *t);
void poni_book_delink(struct poni_pool *p, struct pool_thread *t);

/* A thread is counted before it is started, and no longer when it leaves. */
void poni_book_count(struct poni_pool *p);
void poni_book_uncount(struct poni_pool *p);

/* Jobs, or places for them, have become more: who is to be called? */
struct pool_debt poni_book_settle(struct poni_pool *p);

/* The same without the idle threads. */
struct pool_debt poni_book_grow(struct poni_pool *p);

/* All queued jobs, CANCELLED, in a list by `next`. */
struct pons_job *poni_book_drop_queued(struct poni_pool *p);

#endif /* PONI_POOL_BOOK_H */
