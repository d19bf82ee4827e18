/* SPDX-License-Identifier: MIT */
/*
 * kit/pool_job.c - B2: no job waits for ever for another.
 *
 * The rest of B2 is the core's, which no policy can spoil: its tests are
 * tests/pool_test.c and tests/pool_end_test.c.
 */

#include "kit.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/atomic.h"
#include "spy.h"
#include "work.h"

enum {
    ROUNDS = 20,
    THREADS = 4,
    STREAMS = 64,       // of jobs of one class, while one of the other waits
    PASSED_MAX = 10000, // so many may be picked before it
    DEPTH = 20,         // of jobs that wait for jobs
};

/* --- jobs that wait for jobs --- */

struct nest {
    struct poni_pool *pool;
    int depth;
    struct kit_work inner;
};

static int64_t
nest_run(void *arg)
{
    struct nest *n = arg, *below = n + 1;
    int err;

    if (n->depth == 0)
        return WORK_ANSWER;
    kit_work_init(&below->inner, 0);
    below->inner.job.fn = nest_run;
    below->inner.job.arg = below;
    below->pool = n->pool;
    below->depth = n->depth - 1;
    err = poni_pool_submit(n->pool, &below->inner.job, 0);
    if (err < 0)
        return err;
    poni_pool_wait_begin();
    kit_wait(&below->inner.ended);
    poni_pool_wait_end();
    return below->inner.job.result;
}

static void
job_in_job(struct kit *k)
{
    struct nest *n = calloc(DEPTH + 1, sizeof *n);
    struct poni_pool *p;

    (void)kit_pool_bound(k, 1);
    p = kit_pool_open(k);
    for (int i = 0; i < ROUNDS; i++) {
        n->pool = p;
        n->depth = DEPTH;
        kit_work_init(&n->inner, 0);
        n->inner.job.fn = nest_run;
        n->inner.job.arg = n;
        kit_work_submit(p, &n->inner);
        kit_wait(&n->inner.ended);
        if (n->inner.job.result == -EBUSY)
            kit_skip("it refuses a job that %d others wait for", DEPTH);
        kit_check_result(n->inner.job.result, WORK_ANSWER,
                         "a job that waits for a job, %d deep", DEPTH);
    }
    KIT_EQ(kit_pool_figures(p).waiting, 0, "jobs that wait for jobs, now");
    kit_pool_close(p);
    free(n);
}

/* --- no class is starved --- */

/* Jobs that each put another one in their place, until `w` has run. */
struct flood {
    struct poni_pool *pool;
    struct kit_work w;
    sem_t over;
    struct stream {
        struct pons_job job;
        struct flood *flood;
    } streams[STREAMS];
};

static int flood_passed[PONS_CLASSES]; // over: how often, one after the other

static void
flood_picked(const struct pons_pool_view *v, uint32_t picked)
{
    for (uint32_t k = 0; k < PONS_CLASSES && picked < PONS_CLASSES; k++) {
        if (k == picked || v->queued_class[k] == 0)
            flood_passed[k] = 0;
        else
            KIT_WANT(++flood_passed[k] < PASSED_MAX,
                     "pick, while a job of class %u waits: found class %u %d "
                     "times, one after the other",
                     k, picked, PASSED_MAX);
    }
}

static int64_t
stream_run(void *arg)
{
    (void)arg;
    return WORK_ANSWER;
}

static void
stream_done(struct pons_job *job)
{
    struct flood *f = pons_container_of(job, struct stream, job)->flood;

    if (poni_load_relaxed(&f->w.ran) || poni_pool_submit(f->pool, job, 0) < 0)
        sem_post(&f->over);
}

/* A job of the class `waiting` among many of the other class. */
static void
job_in_flood(struct poni_pool *p, uint32_t waiting)
{
    struct flood f = {.pool = p};

    sem_init(&f.over, 0, 0);
    kit_work_init(&f.w, 0);
    f.w.job.job_class = waiting;
    for (int i = 0; i < STREAMS; i++) {
        struct stream *s = &f.streams[i];

        *s = (struct stream){.job = {.fn = stream_run,
                                     .done = stream_done,
                                     .job_class = !waiting},
                             .flood = &f};
        if (poni_pool_submit(p, &s->job, 0) < 0)
            sem_post(&f.over);
    }
    kit_work_submit(p, &f.w);
    for (int i = 0; i < STREAMS; i++)
        kit_wait(&f.over);
    kit_work_await(&f.w);
}

static void
job_beside_others(struct kit *k)
{
    struct poni_pool *p;

    kit_pool_bounded(k, 1);
    kit_spy(&(struct kit_spy){.pick = flood_picked});
    p = kit_pool_open(k);
    for (int i = 0; i < ROUNDS; i++) {
        job_in_flood(p, PONS_CLASS_SLOW);
        job_in_flood(p, PONS_CLASS_NORMAL);
    }
    kit_pool_close(p);
}

/* A job that blocks keeps one thread from the other class, and no more. */
static void
job_beside_one_that_blocks(struct kit *k)
{
    struct kit_work blocks, w;
    struct poni_pool *p;

    (void)kit_pool_bound(k, THREADS);
    p = kit_pool_open(k);
    for (uint32_t first = 0; first < PONS_CLASSES; first++) {
        kit_work_init(&blocks, 1);
        blocks.job.job_class = first;
        kit_work_submit(p, &blocks);
        kit_work_await_begun(p, &blocks);
        kit_work_init(&w, 1);
        w.job.job_class = !first;
        kit_work_submit(p, &w);
        kit_work_await_begun(p, &w);
        kit_work_finish(&w);
        kit_work_finish(&blocks);
    }
    kit_pool_close(p);
}

const struct kit_test kit_pool_job_tests[] = {
    {"B2", "jobs that wait for jobs do not block each other", KIT_ALL, "B4",
     job_in_job},
    {"B2", "no class is starved by the other", KIT_THREADS, "B6",
     job_beside_others},
    {"B2", "no class waits behind one job of the other that blocks",
     KIT_THREADS, "B4", job_beside_one_that_blocks},
    {0},
};
