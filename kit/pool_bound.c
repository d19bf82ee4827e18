/* SPDX-License-Identifier: MIT */
/*
 * kit/pool_bound.c - B1: no more threads, and no more jobs at once, than the
 * policy's options say.
 */

#include "kit.h"

#include <sched.h>

#include "core/atomic.h"
#include "spy.h"
#include "work.h"

enum { THREADS = 3, JOBS = 32, ROUNDS = 50 };

static unsigned bound; // set before the pool is there

static void
bound_on_tick(const struct pons_pool_view *v, struct pons_pool_target t)
{
    KIT_WANT(t.threads <= bound,
             "on_tick, with %u threads: wanted %u at most, found %u",
             v->threads, bound, t.threads);
}

static void
bound_on_idle(const struct pons_pool_view *v, uint64_t parked_ns,
              uint64_t answer)
{
    (void)parked_ns;
    KIT_WANT(v->threads <= bound || answer == PONS_POOL_EXIT,
             "on_idle, with %u threads where %u are allowed: wanted "
             "PONS_POOL_EXIT, found a park of %llu ns",
             v->threads, bound, (unsigned long long)answer);
}

static struct poni_pool *
bound_open(struct kit *k, unsigned threads)
{
    static const struct kit_spy spy = {.on_tick = bound_on_tick,
                                       .on_idle = bound_on_idle};

    bound = threads;
    kit_pool_bounded(k, threads);
    kit_spy(&spy);
    return kit_pool_open(k);
}

/* --- jobs at once, measured inside of them --- */

static unsigned running, most; // atomic

static int64_t
bound_run(void *arg)
{
    unsigned n = poni_add(&running, 1) + 1, seen = poni_load_relaxed(&most);

    while (n > seen && !poni_cas(&most, &seen, n))
        continue;
    sched_yield();
    poni_store_relaxed(&((struct kit_work *)arg)->ran, 1);
    poni_sub(&running, 1);
    return WORK_ANSWER;
}

static void
bound_of_many(struct poni_pool *p)
{
    struct kit_work w[JOBS];

    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < JOBS; i++) {
            kit_work_init(&w[i], 0);
            w[i].job.fn = bound_run;
            w[i].job.job_class = (uint32_t)i % PONS_CLASSES;
            kit_work_submit(p, &w[i]);
        }
        for (int i = 0; i < JOBS; i++)
            kit_work_await(&w[i]);
    }
    KIT_WANT(poni_load_relaxed(&most) <= bound,
             "jobs that ran at once: wanted %u at most, found %u", bound,
             poni_load_relaxed(&most));
    KIT_WANT(kit_pool_figures(p).threads <= bound,
             "threads: wanted %u at most, found %u", bound,
             kit_pool_figures(p).threads);
}

static void
bound_is_kept(struct kit *k)
{
    struct poni_pool *p = bound_open(k, THREADS);

    bound_of_many(p);
    kit_pool_close(p);
}

static void
bound_of_one(struct kit *k)
{
    struct poni_pool *p = bound_open(k, 1);

    bound_of_many(p);
    kit_pool_close(p);
}

/* --- jobs that come back from waiting --- */

/* Each has a thread that is beyond the limit when it comes back. */
static void
bound_after_waiting(struct kit *k)
{
    struct kit_work waiter[THREADS], busy, w;
    struct poni_pool *p = bound_open(k, 1);

    for (int i = 0; i < THREADS; i++)
        kit_work_occupy_waiting(p, &waiter[i]);
    kit_work_occupy(p, &busy);
    KIT_EQ(kit_pool_figures(p).waiting, THREADS, "jobs that wait for jobs");
    kit_work_init(&w, 0);
    kit_work_submit(p, &w);
    for (int i = 0; i < THREADS; i++)
        kit_work_finish(&waiter[i]);
    /* Before a job has ended its thread has looked for another. */
    KIT_EQ(kit_pool_figures(p).queued, 1,
           "jobs that wait while one runs and one may, and threads have come "
           "back from waiting");
    KIT_EQ(kit_pool_figures(p).waiting, 0, "jobs that wait for jobs still");
    kit_work_finish(&busy);
    kit_work_await(&w);
    bound_of_many(p);
    kit_pool_close(p);
}

/* The system has had no thread for a while: that is no reason for more of them
 * afterwards. */
static void
bound_after_a_refusal(struct kit *k)
{
    struct poni_pool *p = bound_open(k, THREADS);
    struct kit_work first, w;

    kit_work_occupy(p, &first);
    kit_work_init(&w, 0);
    if (kit_work_submit_refused(p, &w) < 0)
        kit_skip("it refuses a job while no other waits");
    kit_work_finish(&first);
    kit_work_await(&w);
    bound_of_many(p);
    kit_pool_close(p);
}

const struct kit_test kit_pool_bound_tests[] = {
    {"B1", "no more jobs at once than threads allowed", KIT_ALL, NULL,
     bound_is_kept},
    {"B1", "one thread is a limit, too", KIT_ALL, NULL, bound_of_one},
    {"B1", "threads that come back from waiting keep to it", KIT_ALL, NULL,
     bound_after_waiting},
    {"B1", "threads that the system refused are no more afterwards", KIT_ALL,
     NULL, bound_after_a_refusal},
    {0},
};
