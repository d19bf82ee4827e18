/* SPDX-License-Identifier: MIT */
/*
 * kit/pool_job.c - B2: a job is run, once, whatever comes between.
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
    ROUNDS = 1000,
    SUBMITTERS = 4,
    JOBS = 3000,        // of one submitter
    STREAMS = 64,       // of jobs of one class, while one of the other waits
    PASSED_MAX = 10000, // so many may be picked before it
    DEPTH = 20,         // of jobs that wait for jobs
};

/* --- B2: many jobs --- */

struct crowd {
    struct poni_pool *pool;
    struct count {
        struct pons_job job;
        struct crowd *crowd;
        int ran, dones;
    } jobs[JOBS];
    int left; // atomic
    sem_t over;
};

static int64_t
crowd_run(void *arg)
{
    struct count *c = arg;

    return poni_add_relaxed(&c->ran, 1) + 1;
}

static void
crowd_done(struct pons_job *job)
{
    struct count *c = pons_container_of(job, struct count, job);
    struct crowd *crowd = c->crowd;

    poni_add_relaxed(&c->dones, 1);
    if (poni_sub(&crowd->left, 1) == 1)
        sem_post(&crowd->over);
}

static struct crowd *
crowd_new(struct poni_pool *p)
{
    struct crowd *c = calloc(1, sizeof *c);

    c->pool = p;
    c->left = JOBS;
    sem_init(&c->over, 0, 0);
    for (int i = 0; i < JOBS; i++) {
        c->jobs[i].crowd = c;
        c->jobs[i].job = (struct pons_job){.fn = crowd_run,
                                           .arg = &c->jobs[i],
                                           .done = crowd_done,
                                           .job_class = i % 3 == 0};
    }
    return c;
}

/* A refusal under load is no loss: it is submitted again. */
static void
crowd_submit_one(struct crowd *c, int i)
{
    struct pons_job *job = &c->jobs[i].job;
    uint32_t job_class = job->job_class;
    int err;

    while ((err = poni_pool_submit(c->pool, job, 0)) == -EBUSY) {
        job->job_class = job_class;
        sched_yield();
    }
    kit_check_result(err, 0, "the submit of a job");
}

static void *
crowd_submit(void *arg)
{
    for (int i = 0; i < JOBS; i++)
        crowd_submit_one(arg, i);
    return NULL;
}

static void *
crowd_cancel(void *arg)
{
    struct crowd *c = arg;

    for (int i = 0; i < JOBS; i++) {
        crowd_submit_one(c, i);
        for (int n = 0; n < i % 64 * 10; n++)
            poni_pause(); // so that cancels meet jobs at all ages
        (void)poni_pool_cancel(c->pool, &c->jobs[i].job);
    }
    return NULL;
}

/* The result of all jobs together. */
static void
crowd_check(const struct crowd *c)
{
    for (int i = 0; i < JOBS; i++) {
        const struct count *n = &c->jobs[i];

        KIT_EQ(n->dones, 1, "how often job %d of %d ended", i, JOBS);
        KIT_EQ(n->ran, poni_job_ran(&n->job), "how often job %d of %d ran", i,
               JOBS);
        kit_check_result(n->job.result, n->ran ? 1 : -ECANCELED,
                         "the result of job %d of %d", i, JOBS);
    }
}

static void
crowd_of(struct kit *k, void *(*submit)(void *))
{
    struct poni_pool *p = kit_pool_open(k);
    struct crowd *c[SUBMITTERS];
    pthread_t threads[SUBMITTERS];

    for (int i = 0; i < SUBMITTERS; i++) {
        c[i] = crowd_new(p);
        KIT_THREAD(pthread_create(&threads[i], NULL, submit, c[i]));
    }
    for (int i = 0; i < SUBMITTERS; i++) {
        pthread_join(threads[i], NULL);
        kit_wait(&c[i]->over);
    }
    KIT_EQ(kit_pool_figures(p).queued, 0, "jobs that wait when all have ended");
    kit_pool_close(p);
    for (int i = 0; i < SUBMITTERS; i++) {
        crowd_check(c[i]);
        free(c[i]);
    }
}

static void
job_of_many(struct kit *k)
{
    crowd_of(k, crowd_submit);
}

static void
job_of_few_threads(struct kit *k)
{
    kit_pool_bounded(k, 2);
    crowd_of(k, crowd_submit);
}

static void
job_while_threads_come_and_go(struct kit *k)
{
    if (!kit_has_option(k, "keepalive") ||
        kit_configure(k, "keepalive", "1us") < 0)
        kit_skip("it has no option keepalive");
    crowd_of(k, crowd_submit);
}

static void
job_cancelled(struct kit *k)
{
    crowd_of(k, crowd_cancel);
}

/* --- B2: jobs that wait for jobs --- */

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
    for (int i = 0; i < ROUNDS / 50; i++) {
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

/* --- B2: the system refuses threads --- */

static void
job_without_a_thread(struct kit *k)
{
    struct poni_pool *p = kit_pool_open(k);
    struct kit_work w;
    int err;

    kit_work_init(&w, 0);
    err = kit_work_submit_refused(p, &w);
    if (err == 0) {
        kit_work_await(&w); // it has threads from the start
        kit_pool_close(p);
        return;
    }
    kit_check_result(err, -EAGAIN, "a job in a system without threads");
    KIT_EQ(poni_load_relaxed(&w.dones), 0, "how often that job ended");
    kit_work_submit(p, &w);
    kit_work_await(&w);
    kit_pool_close(p);
}

static void
job_with_some_threads(struct kit *k)
{
    enum { WAITING = 5 };
    struct poni_pool *p = kit_pool_open(k);
    struct kit_work first, w[WAITING];

    kit_work_occupy(p, &first);
    for (int i = 0; i < WAITING; i++) {
        kit_work_init(&w[i], 0);
        w[i].job.job_class = i % 2;
        if (kit_work_submit_refused(p, &w[i]) < 0)
            kit_skip("it refuses a job while %d wait", i);
    }
    kit_work_finish(&first);
    for (int i = 0; i < WAITING; i++)
        kit_work_await(&w[i]);
    kit_pool_close(p);
}

/* --- B2: no class is starved --- */

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
    for (int i = 0; i < ROUNDS / 50; i++) {
        job_in_flood(p, PONS_CLASS_SLOW);
        job_in_flood(p, PONS_CLASS_NORMAL);
    }
    kit_pool_close(p);
}

const struct kit_test kit_pool_job_tests[] = {
    {"B2", "each job of many submitters runs once", KIT_ALL, NULL, job_of_many},
    {"B2", "a few threads run all jobs", KIT_ALL, NULL, job_of_few_threads},
    {"B2", "no job is lost while threads come and go", KIT_ALL, "B4",
     job_while_threads_come_and_go},
    {"B2", "a cancelled job ends once, at any moment", KIT_ALL, NULL,
     job_cancelled},
    {"B2", "jobs that wait for jobs do not block each other", KIT_ALL, "B4",
     job_in_job},
    {"B2", "without any thread a job is refused, and not lost", KIT_ALL, NULL,
     job_without_a_thread},
    {"B2", "with a few threads, and no more to have, all jobs run", KIT_ALL,
     NULL, job_with_some_threads},
    {"B2", "no class is starved by the other", KIT_THREADS, "B6",
     job_beside_others},
    {0},
};
