/* SPDX-License-Identifier: MIT */
/*
 * kit/work.c - see kit/work.h.
 *
 * A system without threads is made of a filter: of system calls, and of one
 * thread. The others have no such filter, so they get threads all the time.
 */

#include "work.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/atomic.h"
#include "pons/time.h"
#include "queued.h"
#include "spy.h"

/* --- the policy, and pools on it --- */

static const struct pons_pool_ops *
policy_ops(const struct kit *k)
{
    return k->engine->table;
}

int
kit_try_policy(struct kit *k, struct pons_pool_policy **out,
               struct pons_reason *reason)
{
    int err;

    memset(reason, 0, sizeof *reason);
    *out = NULL;
    err = policy_ops(k)->open(out, kit_config(k), kit_spy_host(), reason);
    KIT_WANT(err != 0 || *out != NULL, "open: it returned 0, and made nothing");
    if (err == 0)
        (*out)->ops = kit_spy_ops(policy_ops(k));
    return err;
}

void
kit_policy_close(struct kit *k, struct pons_pool_policy *policy)
{
    policy_ops(k)->close(policy);
}

static int64_t
pool_run(void *owner, struct pons_job *job)
{
    (void)owner;
    kit_queued_keep();
    return job->fn(job->arg);
}

struct poni_pool *
kit_pool_open(struct kit *k)
{
    struct pons_pool_policy *policy;
    struct pons_reason reason;
    struct poni_pool *p;
    int err = kit_try_policy(k, &policy, &reason);

    if (err < 0 && kit_is_given(k))
        kit_skip("with the options that are given open refuses: %s",
                 reason.text);
    if (err < 0)
        kit_fail("open: %s: %s", strerror(-err), reason.text);
    if (poni_pool_new(&p, policy, pool_run, NULL) < 0)
        kit_fail("a pool: %s", pons_last_error());
    return p;
}

void
kit_pool_close(struct poni_pool *p)
{
    char names[64];

    KIT_EQ(poni_pool_shutdown(p, PONS_NEVER, names, sizeof names), 0,
           "jobs that run after a shutdown without a deadline");
    KIT_EQ(poni_pool_free(p), 1, "whether the pool could be freed");
}

struct poni_pool_figures
kit_pool_figures(struct poni_pool *p)
{
    struct poni_pool_figures f;

    poni_pool_figures(p, &f);
    return f;
}

int
kit_pool_bound(struct kit *k, unsigned threads)
{
    static const char *const names[] = {"max", "threads", "threads_max",
                                        "max_threads"};
    char value[16];

    snprintf(value, sizeof value, "%u", threads);
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (kit_has_option(k, names[i]) &&
            kit_configure(k, names[i], value) == 0)
            return 1;
    return 0;
}

void
kit_pool_bounded(struct kit *k, unsigned threads)
{
    if (!kit_pool_bound(k, threads))
        kit_skip("it has no option that bounds its threads (max, threads)");
}

/* --- jobs --- */

void
kit_wait(sem_t *s)
{
    while (sem_wait(s) < 0)
        KIT_EQ(errno, EINTR, "errno of the kit's own sem_wait()");
}

static int64_t
work_run(void *arg)
{
    struct kit_work *w = arg;

    w->thread = gettid();
    poni_add_relaxed(&w->ran, 1);
    sem_post(&w->begun);
    if (w->blocks)
        kit_wait(&w->go);
    return WORK_ANSWER;
}

static void
work_done(struct pons_job *job)
{
    struct kit_work *w = pons_container_of(job, struct kit_work, job);

    poni_add_relaxed(&w->dones, 1);
    sem_post(&w->ended);
}

void
kit_work_init(struct kit_work *w, int blocks)
{
    memset(w, 0, sizeof *w);
    w->blocks = blocks;
    sem_init(&w->begun, 0, 0);
    sem_init(&w->go, 0, 0);
    sem_init(&w->ended, 0, 0);
    w->job.fn = work_run;
    w->job.arg = w;
    w->job.done = work_done;
}

void
kit_work_submit(struct poni_pool *p, struct kit_work *w)
{
    struct poni_pool_figures f = kit_pool_figures(p);
    int err = poni_pool_submit(p, &w->job, 0);

    if (err == -EBUSY)
        kit_skip("it refuses a job while %u wait and %u threads are there",
                 f.queued, f.threads);
    kit_check_result(err, 0, "the submit of a job");
}

struct refused {
    struct poni_pool *pool;
    struct kit_work *work;
    int err;
};

static void *
refused_submit(void *arg)
{
    struct refused *r = arg;

    kit_forbid(SYS_clone3, EAGAIN);
    kit_forbid(SYS_clone, EAGAIN);
    r->err = poni_pool_submit(r->pool, &r->work->job, 0);
    return NULL;
}

int
kit_work_submit_refused(struct poni_pool *p, struct kit_work *w)
{
    struct refused r = {.pool = p, .work = w};
    pthread_t thread;

    KIT_THREAD(pthread_create(&thread, NULL, refused_submit, &r));
    pthread_join(thread, NULL);
    return r.err;
}

/* One more question to the policy. */
static void
work_nudge(struct poni_pool *p)
{
    struct kit_work w;

    kit_work_init(&w, 0);
    if (poni_pool_submit(p, &w.job, 0) < 0)
        return;
    (void)poni_pool_cancel(p, &w.job);
    kit_wait(&w.ended);
}

/* In this test's own turn: 1 if `s` could be taken within a millisecond. */
static int
work_has(sem_t *s)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)PONS_MS;
    if (until.tv_nsec >= (long)PONS_S) {
        until.tv_sec++;
        until.tv_nsec -= (long)PONS_S;
    }
    return sem_timedwait(s, &until) == 0;
}

void
kit_work_await_begun(struct poni_pool *p, struct kit_work *w)
{
    while (!work_has(&w->begun))
        work_nudge(p);
}

void
kit_work_occupy(struct poni_pool *p, struct kit_work *w)
{
    kit_work_init(w, 1);
    kit_work_submit(p, w);
    kit_work_await_begun(p, w);
}

static int64_t
work_waits(void *arg)
{
    struct kit_work *w = arg;

    poni_add_relaxed(&w->ran, 1);
    poni_pool_wait_begin();
    sem_post(&w->begun);
    kit_wait(&w->go);
    poni_pool_wait_end();
    return WORK_ANSWER;
}

void
kit_work_occupy_waiting(struct poni_pool *p, struct kit_work *w)
{
    kit_work_init(w, 1);
    w->job.fn = work_waits;
    kit_work_submit(p, w);
    kit_work_await_begun(p, w);
}

void
kit_work_release(struct kit_work *w)
{
    sem_post(&w->go);
}

void
kit_work_await(struct kit_work *w)
{
    kit_wait(&w->ended);
    kit_check_result(w->job.result, WORK_ANSWER, "the result of a job");
    KIT_EQ(poni_load_relaxed(&w->ran), 1, "how often a job ran");
    KIT_EQ(poni_load_relaxed(&w->dones), 1, "how often a job ended");
}

void
kit_work_finish(struct kit_work *w)
{
    kit_work_release(w);
    kit_work_await(w);
}

void
kit_work_await_refusal(struct kit_work *w, int err)
{
    kit_wait(&w->ended);
    kit_check_result(w->job.result, err, "the result of a job");
    KIT_EQ(poni_load_relaxed(&w->ran), 0, "how often a job ran");
    KIT_EQ(poni_load_relaxed(&w->dones), 1, "how often a job ended");
}

void
kit_pool_exercise(struct poni_pool *p)
{
    enum { ROUNDS = 50, WAITING = 6 };
    struct kit_work first, w[WAITING];

    for (int round = 0; round < ROUNDS; round++) {
        kit_work_occupy(p, &first);
        for (int i = 0; i < WAITING; i++) {
            kit_work_init(&w[i], 0);
            w[i].job.job_class = (uint32_t)(i + round / 2) % PONS_CLASSES;
            kit_work_submit(p, &w[i]);
        }
        (void)poni_pool_cancel(p, &w[WAITING / 2].job);
        kit_work_finish(&first);
        for (int i = 0; i < WAITING; i++)
            kit_wait(&w[i].ended);
    }
}
