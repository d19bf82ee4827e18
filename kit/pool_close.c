/* SPDX-License-Identifier: MIT */
/*
 * kit/pool_close.c - B11, and B10 where it is about an end: what is left of a
 * policy, and of what its pool had in hand.
 */

#include "kit.h"

#include <errno.h>
#include <unistd.h>

#include "core/atomic.h"
#include "work.h"

enum { ROUNDS = 50 };

static void
close_of_policies(struct kit *k)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct pons_pool_policy *policy;
        struct pons_reason reason;

        kit_check_result(kit_try_policy(k, &policy, &reason), 0, "open");
        kit_policy_close(k, policy);
    }
    KIT_EQ(kit_host_pieces(), 0,
           "pieces of the host's memory that are kept after %d times open and "
           "close",
           ROUNDS);
}

/* --- pools --- */

static int
close_next_descriptor(void)
{
    int next = KIT_SYS(dup(STDIN_FILENO));

    close(next);
    return next;
}

typedef void close_pool_f(struct kit *k);

static void
close_leaves_nothing(struct kit *k, close_pool_f *pool)
{
    int next = close_next_descriptor();

    for (int i = 0; i < ROUNDS; i++)
        pool(k);
    KIT_EQ(kit_host_pieces(), 0,
           "pieces of the host's memory that are kept after %d pools", ROUNDS);
    KIT_EQ(close_next_descriptor(), next,
           "the lowest free descriptor after %d pools", ROUNDS);
}

static void
close_idle_pool(struct kit *k)
{
    struct poni_pool *p = kit_pool_open(k);
    struct kit_work w;

    kit_work_init(&w, 0);
    kit_work_submit(p, &w);
    kit_work_await(&w);
    kit_pool_close(p);
}

static void
close_of_idle_pools(struct kit *k)
{
    close_leaves_nothing(k, close_idle_pool);
}

/* --- pools that have jobs in all states --- */

enum { QUEUED = 6 };

struct close_jobs {
    struct kit_work waits; // begun, for something else
    struct kit_work runs;
    struct kit_work queued[QUEUED]; // or begun, where there are threads
    struct kit_work cancelled, late;
};

static void
close_begin(struct poni_pool *p, struct close_jobs *jobs)
{
    kit_work_occupy_waiting(p, &jobs->waits);
    kit_work_occupy(p, &jobs->runs);
    for (int i = 0; i < QUEUED; i++) {
        kit_work_init(&jobs->queued[i], 1);
        jobs->queued[i].job.job_class = (uint32_t)i % PONS_CLASSES;
        kit_work_submit(p, &jobs->queued[i]);
    }
    kit_work_init(&jobs->cancelled, 1);
    kit_work_submit(p, &jobs->cancelled);
    (void)poni_pool_cancel(p, &jobs->cancelled.job);
}

/* 1: it has begun, and now it ends; 0: it was cancelled, and has ended. */
static unsigned
close_job(struct kit_work *w)
{
    kit_work_release(w);
    kit_wait(&w->ended);
    KIT_EQ(poni_load_relaxed(&w->dones), 1, "how often a job ended");
    kit_check_result(w->job.result,
                     poni_load_relaxed(&w->ran) ? WORK_ANSWER : -ECANCELED,
                     "a job of a pool that ends, which ran %d times",
                     poni_load_relaxed(&w->ran));
    return (unsigned)poni_load_relaxed(&w->ran);
}

static void
close_busy_pool(struct kit *k)
{
    struct close_jobs jobs;
    struct poni_pool *p;
    unsigned running, ran;

    (void)kit_pool_bound(k, 1);
    p = kit_pool_open(k);
    close_begin(p, &jobs);
    running = poni_pool_shutdown(p, 0, NULL, 0);
    kit_work_init(&jobs.late, 0);
    kit_check_result(poni_pool_submit(p, &jobs.late.job, 0), -ESHUTDOWN,
                     "a job for a pool that ends");
    ran = close_job(&jobs.waits) + close_job(&jobs.runs);
    for (int i = 0; i < QUEUED; i++)
        ran += close_job(&jobs.queued[i]);
    ran += close_job(&jobs.cancelled);
    KIT_EQ(running, ran, "jobs that the shutdown has left running");
    kit_pool_close(p);
    KIT_EQ(poni_load_relaxed(&jobs.late.ran), 0,
           "how often a job ran that was refused");
}

static void
close_of_busy_pools(struct kit *k)
{
    close_leaves_nothing(k, close_busy_pool);
}

/* --- one of two --- */

static void
close_one_of_two(struct kit *k)
{
    struct pons_pool_policy *first;
    struct pons_reason reason;
    struct poni_pool *one, *two;
    struct kit_work w;
    int err = kit_try_policy(k, &first, &reason);

    kit_check_result(err, 0, "open");
    one = kit_pool_open(k);
    two = kit_pool_open(k);
    for (int i = 0; i < ROUNDS; i++) {
        kit_work_init(&w, 0);
        kit_work_submit(i % 2 ? one : two, &w);
        kit_work_await(&w);
    }
    kit_pool_close(one);
    kit_work_init(&w, 0);
    kit_work_submit(two, &w);
    kit_work_await(&w);
    kit_pool_close(two);
    kit_policy_close(k, first);
}

const struct kit_test kit_pool_close_tests[] = {
    {"B11", "close gives back all memory", KIT_ALL, NULL, close_of_policies},
    {"B11", "a pool that ends leaves nothing of the policy", KIT_ALL, NULL,
     close_of_idle_pools},
    {"B11", "a pool that ends accounts for jobs in all states", KIT_ALL,
     "B2 B4", close_of_busy_pools},
    {"B10", "two pools at a time, and one after the other's end", KIT_ALL,
     "B11", close_one_of_two},
    {0},
};
