/* SPDX-License-Identifier: MIT */
#ifndef PONS_BRIDGE_H
#define PONS_BRIDGE_H

/*
 * pons/bridge.h - the two crossings: block_on and blocking.
 *
 *     err = pons_block_on(rt, fetch_score, (void *)"10.0.0.1", &score);
 *     err = pons_blocking(hash_password, &job, &result);
 *
 * pons_block_on() lets synchronous code call code that waits; it runs on the
 * caller's own stack. pons_blocking() lets code that must not block call code
 * that does; it runs on a thread of the runtime's pool.
 *
 * Threads     Any thread, any task, but for what each says.
 *
 * Failure     As each says; pons_last_error() has the sentence.
 */

#include "future.h"
#include "task.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Calls fn(arg) on this thread with `rt` as the current runtime (borrowed;
 * NULL: none) and stores its answer. Returns 0, -EOWNERDEAD, or -EDEADLK inside
 * poll() of a stackless future. Any thread; in a fiber it is a plain call.
 *
 * With 0 workers the thread that made the runtime drives its tasks from here,
 * while it waits and only then; other threads' tasks advance no sooner.
 */
PONS_API PONS_MUST_USE int pons_block_on(struct pons_runtime *rt,
                                         pons_fiber_f *fn, void *arg,
                                         int64_t *result);

/* The same for a future, whose result it stores. Borrows `f` until it ended. */
PONS_API PONS_MUST_USE int pons_block_on_future(struct pons_runtime *rt,
                                                struct pons_future *f,
                                                int64_t *result);

/* Code that blocks. It may use every calling form; the thread then waits. */
typedef int64_t pons_job_f(void *arg);

/*
 * Calls fn(arg) on a pool thread and waits. `arg` is borrowed: this returns
 * only after the job has ended, even when cancelled; cancelled before it
 * started it is -ECANCELED and fn was not called. 0 with the answer in
 * `result`, or what the pool's policy said: -EBUSY (refused), -ETIME (expired),
 * -EAGAIN (the system gave no thread). In a job, and without a current runtime,
 * fn is called here; not in a task, also if a job's thread drives it. -EDEADLK
 * inside poll() of a stackless future.
 *
 * A job that gives up (pons_job_cancelled() below) answers -ECANCELED, and its
 * caller passes that on; only then is an enclosing pons_timeout() -ETIME.
 */
PONS_API PONS_MUST_USE int pons_blocking(pons_job_f *fn, void *arg,
                                         int64_t *result);

enum pons_job_class {
    PONS_CLASS_NORMAL,
    PONS_CLASS_SLOW, /* long jobs: a policy may keep room for the others */
    PONS_CLASSES,
};

/* A piece of work for the pool. Embedded by pons_blocking; the core's to touch
 * from submit until `done` was called. */
struct pons_job {
    union {
        struct pons_job *next; /* queued: the one behind it */
        void *thread;          /* given: to whom */
    };
    struct pons_job *previous; /* queued: the one before it */
    pons_job_f *fn;
    void *arg;
    void (*done)(struct pons_job *j); /* once; any thread; `j` may go now */
    int64_t result;
    uint64_t queued_ns; /* when it was submitted */
    const char *name;   /* static; shown when left running */
    uint32_t job_class; /* enum pons_job_class */
    uint32_t state;     /* core/pool_book.h has the picture */
    uintptr_t reserved[2];
};

PONS_STATIC_ASSERT(sizeof(struct pons_job) == 88, "ABI: pons_job");

/* Future form. Its result is fn's, or the refusal. */
struct pons_blocking {
    struct pons_future base;
    struct pons_job job;
    struct pons_waker waker;
    struct pons_runtime *runtime;
    pons_job_f *fn;
    void *arg;
    uint64_t reserved;
};

PONS_STATIC_ASSERT(sizeof(struct pons_blocking) == 176, "ABI: pons_blocking");

/* Borrows `rt` (NULL: the current one at the first poll), fn and `arg` until it
 * ended. */
PONS_API void pons_blocking_init(struct pons_blocking *b,
                                 struct pons_runtime *rt, pons_job_f *fn,
                                 void *arg);

/*
 * Gives fn(arg) to the pool and forgets it. Consumes `arg`: destroy(arg) runs
 * exactly once, after fn or instead of it (also on failure; NULL: nothing). A
 * NULL runtime is the current one. 0; what the policy said; -ENOMEM; -EINVAL
 * without a runtime; -EOWNERDEAD.
 */
PONS_API PONS_MUST_USE int pons_blocking_detached(struct pons_runtime *rt,
                                                  pons_job_f *fn, void *arg,
                                                  void (*destroy)(void *arg));

/* In a job: whether its submitter has asked it to end. Elsewhere 0, and so in a
 * task, also if a job's thread drives it. */
PONS_API int pons_job_cancelled(void);

#ifdef __cplusplus
}
#endif
#endif /* PONS_BRIDGE_H */
