/* SPDX-License-Identifier: MIT */
#ifndef PONI_POOL_THREAD_H
#define PONI_POOL_THREAD_H

/*
 * core/pool_thread.h - the life of one thread of a pool.
 */

#include "pool_book.h"

/* The calling thread's, or NULL: it is not a pool's, and no guest. */
struct pool_thread *poni_pool_thread(void);

/* Runs the job of `guest`, who is the calling thread meanwhile. */
void poni_pool_run_guest(struct pool_thread *guest);

/* Not under the lock. */

/* Starts a thread that is counted already. On -EAGAIN it is no longer, and if
 * it would have been the only one the queued jobs have ended with -EAGAIN. */
int poni_pool_start(struct poni_pool *p, uint64_t not_before_ns);

/* Wakes and starts whom `debt` says. */
void poni_pool_pay(struct poni_pool *p, struct pool_debt debt);

/* Ends a list of CANCELLED jobs with `result`. */
void poni_pool_end_jobs(struct pons_job *list, int64_t result);

/* Under the lock: one of p->alive is no more. */
void poni_pool_gone(struct poni_pool *p);

#endif /* PONI_POOL_THREAD_H */
