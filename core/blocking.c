/* SPDX-License-Identifier: MIT */
/*
 * core/blocking.c - code that must not block calls code that does: a job on the
 * pool, and the future that waits for it.
 *
 *    NEW ---> SUBMITTED ---> ENDED
 *                       done(), on any thread
 *
 * The waker slot and the step to ENDED stand under the lock in base.reserved:
 * the poller changes the waker, done() takes it.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fail.h"
#include "future.h"
#include "lock.h"
#include "runtime.h"
#include "seat.h"
#include "self.h"

enum blocking_state { BLOCKING_NEW, BLOCKING_SUBMITTED, BLOCKING_ENDED };

static uint32_t *
blocking_lock(struct pons_blocking *b)
{
    return (uint32_t *)(void *)&b->base.reserved;
}

/* On the pool's thread. base.resume tells an answer of fn from a refusal. */
static int64_t
blocking_run(void *arg)
{
    struct pons_blocking *b = arg;

    b->base.resume = 1;
    return b->fn(b->arg);
}

static void
blocking_done(struct pons_job *job)
{
    struct pons_blocking *b = pons_container_of(job, struct pons_blocking, job);
    struct pons_waker w;

    poni_lock(blocking_lock(b));
    w = b->waker;
    b->waker = (struct pons_waker){NULL, NULL};
    b->base.result = job->result;
    /* Pairs with the acquire in blocking_poll(). */
    poni_store_release(&b->base.state, BLOCKING_ENDED);
    poni_unlock(blocking_lock(b));
    pons_waker_wake(&w);
}

/* done() may still be giving the lock back: `b` goes after that only. */
static enum pons_poll
blocking_ended(struct pons_blocking *b)
{
    poni_lock(blocking_lock(b));
    poni_unlock(blocking_lock(b));
    return PONS_READY;
}

/* The job that calls. A task may run on a job's thread, which drives the task's
 * runtime: that job is another. */
static const struct pons_job *
job_of_caller(void)
{
    return poni_self.task == NULL ? poni_pool_current_job() : NULL;
}

/* Whether the caller is a thread that may run the job itself. */
static int
on_plain_thread(const struct poni_self *self)
{
    return self->task == NULL && self->seat == NULL;
}

static enum pons_poll
blocking_begin(struct pons_blocking *b, struct pons_waker *w)
{
    struct poni_self *self = &poni_self;
    int err = 0;

    poni_unpolled_remove(&b->base);
    if (!poni_budget_take(self, w))
        return PONS_PENDING;
    if (b->reserved != 0 || poni_cancel_due(self))
        return poni_ready(&b->base, -ECANCELED);
    b->runtime = poni_runtime_or_current(b->runtime, &err);
    if (err < 0)
        return poni_ready(&b->base, err);
    pons_waker_set(&b->waker, w);
    poni_store_release(&b->base.state, BLOCKING_SUBMITTED);
    err = poni_pool_submit(b->runtime->pool, &b->job, on_plain_thread(self));
    if (err < 0) {
        pons_waker_drop(&b->waker);
        b->base.state = BLOCKING_ENDED;
        return poni_ready(&b->base, err);
    }
    return poni_load_acquire(&b->base.state) == BLOCKING_ENDED
               ? blocking_ended(b)
               : PONS_PENDING;
}

static enum pons_poll
blocking_poll(struct pons_future *f, struct pons_waker *w)
{
    struct pons_blocking *b = pons_container_of(f, struct pons_blocking, base);
    enum pons_poll answer;

    switch (poni_load_acquire(&f->state)) {
    case BLOCKING_NEW:
        return blocking_begin(b, w);
    case BLOCKING_ENDED:
        return blocking_ended(b);
    default:
        poni_lock(blocking_lock(b));
        answer = f->state == BLOCKING_ENDED ? PONS_READY : PONS_PENDING;
        if (answer == PONS_PENDING)
            pons_waker_set(&b->waker, w);
        poni_unlock(blocking_lock(b));
        return answer;
    }
}

static void
blocking_cancel(struct pons_future *f)
{
    struct pons_blocking *b = pons_container_of(f, struct pons_blocking, base);

    switch (poni_load_acquire(&f->state)) {
    case BLOCKING_NEW: // its first poll had no budget left
        b->reserved = 1;
        break;
    case BLOCKING_SUBMITTED:
        (void)poni_pool_cancel(b->runtime->pool, &b->job);
        break;
    default:
        break;
    }
}

static void
blocking_describe(const struct pons_future *f, char *text, size_t size)
{
    const struct pons_blocking *b =
        (const struct pons_blocking *)(const void *)f;

    (void)snprintf(text, size, "blocking job %s",
                   b->job.name != NULL ? b->job.name : "(unnamed)");
}

static const struct pons_future_ops blocking_ops = {
    .size = sizeof blocking_ops,
    .name = "blocking",
    .poll = blocking_poll,
    .cancel = blocking_cancel,
    .describe = blocking_describe,
};

void
pons_blocking_init(struct pons_blocking *b, struct pons_runtime *rt,
                   pons_job_f *fn, void *arg)
{
    poni_future_init(&b->base, &blocking_ops);
    b->job =
        (struct pons_job){.fn = blocking_run, .arg = b, .done = blocking_done};
    b->waker = (struct pons_waker){NULL, NULL};
    b->runtime = rt;
    b->fn = fn;
    b->arg = arg;
    b->reserved = 0;
}

int
pons_blocking(pons_job_f *fn, void *arg, int64_t *result)
{
    struct pons_blocking b;
    struct pons_runtime *rt = pons_runtime_current();
    struct poni_fail_mark before;
    int64_t answer;

    if (poni_self.polling)
        return poni_refuse_poll("pons_blocking()", "struct pons_blocking");
    if (rt == NULL || job_of_caller() != NULL) {
        answer = fn(arg);
    } else {
        pons_blocking_init(&b, rt, fn, arg);
        before = poni_fail_mark();
        answer = poni_await(&b.base);
        if (b.base.resume == 0) { // fn did not run
            poni_fail_plain(before, answer, "blocking");
            return (int)answer;
        }
    }
    if (result != NULL)
        *result = answer;
    return 0;
}

/* --- detached --- */

struct detached {
    struct pons_job job;
    void (*destroy)(void *arg);
};

static void
detached_done(struct pons_job *job)
{
    struct detached *d = pons_container_of(job, struct detached, job);

    if (d->destroy != NULL)
        d->destroy(job->arg);
    free(d);
}

int
pons_blocking_detached(struct pons_runtime *rt, pons_job_f *fn, void *arg,
                       void (*destroy)(void *arg))
{
    struct detached *d = NULL;
    int err = 0;

    rt = poni_runtime_or_current(rt, &err);
    if (err == 0 && (d = calloc(1, sizeof *d)) == NULL)
        err = poni_fail(-ENOMEM, "no memory for a detached job");
    if (err == 0) {
        d->job = (struct pons_job){.fn = fn, .arg = arg, .done = detached_done};
        d->destroy = destroy;
        err = poni_pool_submit(rt->pool, &d->job, on_plain_thread(&poni_self));
    }
    if (err < 0) {
        if (destroy != NULL)
            destroy(arg);
        free(d);
    }
    return err;
}

int
pons_job_cancelled(void)
{
    const struct pons_job *job = job_of_caller();

    return job != NULL && poni_job_asked(job);
}
