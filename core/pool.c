/* SPDX-License-Identifier: MIT */
/*
 * core/pool.c - the pool's face: submit, cancel, waiting, shutdown.
 *
 * core/pool_book.c knows who is where, core/pool_thread.c is what a thread
 * does. Here each call changes the books under the lock, and outside of it pays
 * what that made owed: a wake, a thread, a job that has ended.
 *
 * A job that its submitter runs itself (RUN_HERE) is given to a guest: a
 * struct pool_thread on the submitter's stack, so that cancel and shutdown find
 * it. It is no thread of the pool: no count of the view has it.
 */

#include "pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "futex.h"
#include "lock.h"
#include "pons/time.h"
#include "pool_book.h"
#include "pool_thread.h"
#include "spin.h"

int
poni_pool_new(struct poni_pool **out, struct pons_pool_policy *policy,
              poni_pool_run_f *run, void *owner)
{
    struct poni_pool *p = aligned_alloc(_Alignof(struct poni_pool), sizeof *p);
    struct pool_debt debt;

    if (p == NULL)
        return poni_fail(-ENOMEM, "there is no memory for a blocking pool");
    *p = (struct poni_pool){
        .policy = policy,
        .run = run,
        .owner = owner,
        .spin_limit_ns = poni_spin_limit_ns(),
        .view.size = sizeof p->view,
        .view.processors = poni_processors(),
        .view.now_ns = pons_now(),
    };
    p->spin_ns = p->spin_limit_ns;
    *out = p;
    poni_lock(&p->lock);
    debt = poni_book_grow(p); // policies may want threads at once
    poni_unlock(&p->lock);
    poni_pool_pay(p, debt);
    return 0;
}

/* --- submit --- */

/* Under the lock, which is given up. */
static void
pool_run_here(struct poni_pool *p, struct pons_job *job)
{
    struct pool_thread guest = {.pool = p, .job = job, .guest = 1};

    job->thread = &guest;
    job->state = JOB_GIVEN;
    p->jobs++;
    p->alive++;
    poni_book_link(p, &guest);
    poni_unlock(&p->lock);

    poni_pool_run_guest(&guest);

    poni_lock(&p->lock);
    poni_store_relaxed(&job->state, (uint32_t)JOB_DONE);
    p->view.completed++;
    poni_book_delink(p, &guest);
    poni_pool_gone(p);
    poni_unlock(&p->lock);
    job->done(job);
}

/* The policy has taken the job: there is a thread that will look at its queue,
 * or an error. The lock is held, but for the start of a thread. */
static int
pool_first_thread(struct poni_pool *p)
{
    int err = 0;

    while (p->view.threads == 0 && p->phase == POOL_OPEN && err == 0) {
        poni_book_count(p);
        poni_unlock(&p->lock);
        err = poni_pool_start(p, 0);
        poni_lock(&p->lock);
    }
    if (p->phase == POOL_CLOSING)
        return -ESHUTDOWN;
    return p->view.threads > 0 ? 0 : err;
}

static int
pool_say(const struct poni_pool *p, const struct pons_job *job, int err)
{
    const char *policy = p->policy->ops->name;
    const char *name = job->name != NULL ? job->name : "unnamed";

    switch (err) {
    case -ESHUTDOWN:
        return poni_fail(err, "job %s: its pool is shutting down", name);
    case -EBUSY:
        return poni_fail(err, "job %s was refused by the pool's policy %s",
                         name, policy);
    default:
        return poni_fail(err,
                         "job %s: the system gave the pool no thread (%s); "
                         "raise the limit on processes or memory",
                         name, strerror(-err));
    }
}

/* Under the lock, which is given up. */
static int
pool_refuse(struct poni_pool *p, const struct pons_job *job, int err)
{
    p->refused++;
    poni_unlock(&p->lock);
    return pool_say(p, job, err);
}

int
poni_pool_submit(struct poni_pool *p, struct pons_job *job, int may_run_here)
{
    struct pons_pool_admission a;
    struct pool_debt debt;
    int err;

    job->queued_ns = pons_now();
    poni_lock(&p->lock);
    if (p->phase == POOL_CLOSING)
        return pool_refuse(p, job, -ESHUTDOWN);
    poni_book_clock(p, job->queued_ns);
    a = p->policy->ops->on_submit(p->policy, &p->view, job);
    if (a.verdict == PONS_POOL_REFUSE)
        return pool_refuse(p, job, -EBUSY);
    if (a.verdict == PONS_POOL_RUN_HERE && may_run_here) {
        pool_run_here(p, job);
        return 0;
    }
    if (p->view.threads == 0 && (err = pool_first_thread(p)) < 0)
        return pool_refuse(p, job, err);
    job->job_class = a.klass < PONS_CLASSES ? a.klass : PONS_CLASS_NORMAL;
    p->jobs++;
    poni_book_enqueue(p, job);
    debt = poni_book_settle(p);
    poni_unlock(&p->lock);
    poni_pool_pay(p, debt);
    return 0;
}

/* --- cancel --- */

/* Under the lock. 1: the job is CANCELLED, and the caller's to end. */
static int
pool_recall(struct poni_pool *p, struct pons_job *job)
{
    switch ((enum job_state)job->state) {
    case JOB_QUEUED:
        poni_book_unlink(p, job);
        poni_store_relaxed(&job->state, (uint32_t)JOB_CANCELLED);
        return 1;
    case JOB_GIVEN:
        if (poni_book_retract(p, job->thread))
            return 1;
        poni_store_relaxed(&job->state, (uint32_t)JOB_ASKED);
        return 0;
    case JOB_NEW:
    case JOB_ASKED:
    case JOB_DONE:
    case JOB_CANCELLED:
        break;
    }
    return 0;
}

int
poni_pool_cancel(struct poni_pool *p, struct pons_job *job)
{
    int recalled;

    poni_lock(&p->lock);
    recalled = pool_recall(p, job);
    poni_unlock(&p->lock);
    if (recalled) {
        job->next = NULL;
        poni_pool_end_jobs(job, -ECANCELED);
    }
    return recalled;
}

struct pons_job *
poni_pool_current_job(void)
{
    const struct pool_thread *t = poni_pool_thread();

    return t != NULL ? t->running : NULL;
}

int
poni_pool_is_here(const struct poni_pool *p)
{
    const struct pool_thread *t = poni_pool_thread();

    while (t != NULL && t->pool != p)
        t = t->outer;
    return t != NULL;
}

int
poni_job_asked(const struct pons_job *job)
{
    return poni_load_relaxed(&job->state) == JOB_ASKED;
}

int
poni_job_ran(const struct pons_job *job)
{
    return poni_load_relaxed(&job->state) == JOB_DONE;
}

/* --- a job that waits for a job --- */

/* The calling thread, if it is one of a pool and runs a job. */
static struct pool_thread *
pool_self(void)
{
    struct pool_thread *t = poni_pool_thread();

    while (t != NULL && t->guest)
        t = t->outer;
    return t != NULL && t->running != NULL ? t : NULL;
}

void
poni_pool_wait_begin(void)
{
    struct pool_thread *t = pool_self();
    struct pool_debt debt = {0};
    struct poni_pool *p;

    if (t == NULL || t->waits++ > 0)
        return;
    p = t->pool;
    poni_lock(&p->lock);
    p->view.busy_class[t->running->job_class]--;
    p->view.threads--;
    p->view.waiting++;
    if (poni_book_queued(p) > 0)
        debt = poni_book_settle(p);
    poni_unlock(&p->lock);
    poni_pool_pay(p, debt);
}

void
poni_pool_wait_end(void)
{
    struct pool_thread *t = pool_self();
    struct poni_pool *p;

    if (t == NULL || --t->waits > 0)
        return;
    p = t->pool;
    poni_lock(&p->lock);
    p->view.waiting--;
    p->view.threads++;
    p->view.busy_class[t->running->job_class]++;
    poni_unlock(&p->lock);
}

/* --- the end --- */

/* Under the lock. Refuses from now on, asks all to end, and wakes who idles so
 * that it leaves. The jobs that have not begun, CANCELLED. */
static struct pons_job *
pool_close(struct poni_pool *p)
{
    struct pons_job *list = poni_book_drop_queued(p);

    p->phase = POOL_CLOSING;
    for (struct pool_thread *t = p->all; t != NULL; t = t->next) {
        struct pons_job *job = t->job;

        if (job != NULL && pool_recall(p, job)) {
            job->next = list;
            list = job;
        } else if (job == NULL) {
            /* Not poni_book_claim(): if its job was recalled it was claimed
             * before, and may be looking at when. */
            (void)poni_swap(&t->word, (uint32_t)THREAD_CLAIMED);
            poni_futex_wake(&t->word, 1);
        }
    }
    p->idle = NULL;
    return list;
}

static size_t
names_add(char *names, size_t size, size_t used, const char *name)
{
    for (const char *c = used > 0 ? ", " : ""; used + 1 < size && *c; c++)
        names[used++] = *c;
    while (used + 1 < size && *name != '\0')
        names[used++] = *name++;
    return used;
}

/* Under the lock. How many jobs run, and their names. */
static unsigned
pool_running(const struct poni_pool *p, char *names, size_t size)
{
    unsigned n = 0;
    size_t used = 0;

    for (const struct pool_thread *t = p->all; t != NULL; t = t->next) {
        const char *name = t->job != NULL ? t->job->name : NULL;

        if (t->job == NULL)
            continue;
        used = names_add(names, size, used, name != NULL ? name : "unnamed");
        n++;
    }
    if (size > 0)
        names[used] = '\0';
    return n;
}

/* Until no thread is left, or the deadline. */
static void
pool_wait_gone(struct poni_pool *p, uint64_t deadline_ns)
{
    uint32_t gone, alive;
    int err = 0;

    for (;;) {
        poni_lock(&p->lock);
        gone = p->gone;
        alive = p->alive;
        poni_unlock(&p->lock);
        if (alive == 0 || err == -ETIMEDOUT)
            return;
        err = poni_futex_wait(&p->gone, gone, deadline_ns);
    }
}

unsigned
poni_pool_shutdown(struct poni_pool *p, uint64_t deadline_ns, char *names,
                   size_t size)
{
    struct pons_job *list = NULL;
    unsigned running;

    poni_lock(&p->lock);
    if (p->phase == POOL_OPEN)
        list = pool_close(p);
    poni_unlock(&p->lock);
    poni_pool_end_jobs(list, -ECANCELED);
    pool_wait_gone(p, deadline_ns);
    poni_lock(&p->lock);
    running = pool_running(p, names, size);
    poni_unlock(&p->lock);
    return running;
}

int
poni_pool_free(struct poni_pool *p)
{
    char none[1];

    if (poni_pool_shutdown(p, 0, none, sizeof none) > 0)
        return 0;
    pool_wait_gone(p, PONS_NEVER);
    if (p->ended != NULL) {
        pthread_join(p->ended->id, NULL);
        free(p->ended);
    }
    p->policy->ops->close(p->policy);
    free(p);
    return 1;
}

void
poni_pool_figures(struct poni_pool *p, struct poni_pool_figures *out)
{
    poni_lock(&p->lock);
    *out = (struct poni_pool_figures){
        .jobs = p->jobs,
        .refused = p->refused,
        .completed = p->view.completed,
        .threads = p->view.threads + p->view.waiting,
        .idle = p->view.idle,
        .queued = poni_book_queued(p),
        .waiting = p->view.waiting,
    };
    poni_unlock(&p->lock);
}
