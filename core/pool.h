/* SPDX-License-Identifier: MIT */
#ifndef PONI_POOL_H
#define PONI_POOL_H

/*
 * core/pool.h - threads for blocking work, driven by a policy (pons/pool.h).
 *
 * The pool owns threads, queues, shutdown and counters; the policy decides. A
 * submit either claims an idle thread, or starts one, or leaves the job in a
 * queue that a running thread will look at: no job is ever stranded.
 */

#include "pons/bridge.h"
#include "pons/pool.h"

struct poni_pool;

/* How a job is run, on whatever thread: job->fn(job->arg), whose answer it
 * returns, and what its owner wants around it. */
typedef int64_t poni_pool_run_f(void *owner, struct pons_job *job);

/* `policy` is consumed by poni_pool_free(). */
int poni_pool_new(struct poni_pool **out, struct pons_pool_policy *policy,
                  poni_pool_run_f *run, void *owner);

/*
 * Gives `job` to the pool: fn, arg, done, name and job_class are set, the rest
 * is the pool's. 0: done(job) will be called exactly once, with job->result
 * fn's answer, or -ECANCELED, or -EAGAIN (the thread that it was left to was
 * refused by the system, and there is no other); it may have been called
 * already (inline). Negative (-EBUSY, -ESHUTDOWN, -EAGAIN: no thread could be
 * started and there is none): the job was not taken and done is not called. Any
 * thread. `may_run_here` 0 turns RUN_HERE into ENQUEUE.
 */
int poni_pool_submit(struct poni_pool *p, struct pons_job *job,
                     int may_run_here);

/*
 * Asks `job` to end. 1: it had not started, fn will not be called, and
 * done(job) has been called (result -ECANCELED). 0: it is running
 * (poni_job_asked() is now true inside it) or has ended. Any thread that keeps
 * the job alive.
 */
int poni_pool_cancel(struct poni_pool *p, struct pons_job *job);

/* The job that this thread is running, or NULL. */
struct pons_job *poni_pool_current_job(void);

/* Whether the calling thread is one of `p`, or runs a job of it. */
int poni_pool_is_here(const struct poni_pool *p);

/* Inside a job: whether its submitter has asked it to end. */
int poni_job_asked(const struct pons_job *job);

/* From done(job) on: whether fn was called, so that the result is its answer.
 */
int poni_job_ran(const struct pons_job *job);

/* The calling job begins, or ends, waiting for something: its thread does not
 * count as one meanwhile, so another may be started (nesting cannot deadlock).
 * Whatever it waits for: another runtime's tasks may want this pool. Nothing
 * happens on a thread of no pool. */
void poni_pool_wait_begin(void);
void poni_pool_wait_end(void);

/*
 * Refuses new jobs, cancels the queued ones, asks the running ones to end, and
 * waits until they have or the deadline passed. Returns how many still run;
 * their names go to `names` (size bytes, comma separated, cut).
 */
unsigned poni_pool_shutdown(struct poni_pool *p, uint64_t deadline_ns,
                            char *names, size_t size);

/* After shutdown. With jobs still running the pool is leaked with its threads
 * (and returns 0 instead of 1). */
int poni_pool_free(struct poni_pool *p);

struct poni_pool_figures {
    uint64_t jobs, refused, completed;
    uint32_t threads, idle, queued, waiting; // now; threads has the waiting too
};

void poni_pool_figures(struct poni_pool *p, struct poni_pool_figures *out);

#endif /* PONI_POOL_H */
