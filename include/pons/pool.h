/* SPDX-License-Identifier: MIT */
#ifndef PONS_POOL_H
#define PONS_POOL_H

/*
 * pons/pool.h - what a blocking-pool policy must provide. For authors of them.
 *
 * The core owns the threads, the queues, cancel, shutdown and the counters; a
 * policy only decides, in functions of a few lines over a view of the pool. The
 * rules have numbers; `pons conform` tests them under the same.
 *
 *   B1 bounds     The core starts a thread only while there are fewer than
 *                 on_tick named last. Those inside a job that waits are not
 *                 counted (nesting cannot deadlock). A policy names no more
 *                 than its options say; when jobs come back from waiting, pick
 *                 gives nothing beyond that and on_idle lets the surplus go.
 *   B2 no strand  A queued job is run or refused, whatever the policy answers:
 *                 with no thread at all, the core starts one. No class waits
 *                 for ever because of the other.
 *   B3 refusals   PONS_POOL_REFUSE is a result (-EBUSY) of the job, not a loss.
 *                 It has a reason: an empty pool takes any job.
 *   B4 growth     Below the bound no job waits for ever behind one that blocks;
 *                 a thread that the system refused is asked for again.
 *   B5 idle       A thread without a job sleeps or leaves: the time that
 *                 on_idle answers passes before it is asked again.
 *   B6 answers    Each is one that this header has, and reserved fields are
 *                 zero; pick answers a class in which jobs wait, or NONE while
 *                 a job runs.
 *   B7 here       Only `inline` answers PONS_POOL_RUN_HERE.
 *   B8 lock       All but open() and close() are called with the pool's lock
 *                 held: they make no system call, wait for nothing and call
 *                 nobody, the host included.
 *   B9 borrowed   The view and the job are there for the call, and are not
 *                 written to.
 *   B10 open      It makes a policy of its own, or answers -errno with a reason
 *                 and keeps nothing.
 *   B11 close     It gives back all that open() took.
 *
 * Ownership   The config is borrowed until close(); all else for the call.
 *
 * Threads     Any, one at a time.
 *
 * Failure     Only open() can fail, with a reason.
 */

#include "bridge.h"
#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The pool as it is now. Set by the core; grows at the end. */
struct pons_pool_view {
    uint32_t size;       /* of this struct */
    uint32_t processors; /* that this process may use */
    uint32_t threads;    /* alive, without those that wait for another job */
    uint32_t idle;       /* of them parked or about to take a job */
    uint32_t busy_class[PONS_CLASSES];   /* running a job of the class */
    uint32_t queued_class[PONS_CLASSES]; /* waiting jobs of the class */
    uint32_t waiting;       /* threads inside a job that waits for a job */
    uint32_t spawn_refused; /* times the system refused a thread */
    uint64_t now_ns;
    uint64_t oldest_ns; /* when the oldest waiting job came; 0: none */
    uint64_t completed; /* jobs that have ended, ever */
};

PONS_STATIC_ASSERT(offsetof(struct pons_pool_view, completed) == 56,
                   "ABI: pons_pool_view");

enum pons_pool_verdict {
    PONS_POOL_ENQUEUE,  /* in class `klass` */
    PONS_POOL_REFUSE,   /* -EBUSY */
    PONS_POOL_RUN_HERE, /* by the submitter itself; only `inline` may */
};

struct pons_pool_admission {
    uint32_t verdict; /* enum pons_pool_verdict */
    uint32_t klass;   /* the queue; starts as the job's own class */
};

PONS_STATIC_ASSERT(sizeof(struct pons_pool_admission) == 8,
                   "ABI: pons_pool_admission");

/* What on_tick answers. */
struct pons_pool_target {
    uint32_t threads;  /* that there should be */
    uint32_t reserved; /* zero */

    /* A thread that is started looks for jobs no sooner; it counts as idle
     * until then. 0: at once. */
    uint64_t not_before_ns;
};

PONS_STATIC_ASSERT(sizeof(struct pons_pool_target) == 16,
                   "ABI: pons_pool_target");

#define PONS_POOL_EXIT    UINT64_MAX
#define PONS_POOL_FOREVER (UINT64_MAX - 1)
#define PONS_POOL_NONE    UINT32_MAX

/* The head of a policy's own struct. */
struct pons_pool_policy {
    const struct pons_pool_ops *ops; /* the core's, set after open() */
    uint64_t reserved;               /* zero */
};

PONS_STATIC_ASSERT(sizeof(struct pons_pool_policy) == 16,
                   "ABI: pons_pool_policy");

struct pons_pool_ops {
    uint32_t abi, size; /* PONS_ABI; of this struct */
    const char *name;
    uint64_t reserved;

    int (*open)(struct pons_pool_policy **out, const struct pons_config *config,
                const struct pons_host *host, struct pons_reason *reason);
    void (*close)(struct pons_pool_policy *p);

    /* A job came. */
    struct pons_pool_admission (*on_submit)(struct pons_pool_policy *p,
                                            const struct pons_pool_view *v,
                                            const struct pons_job *job);

    /*
     * How many threads there should be now, given the queues. Asked at the
     * start, when a job is left in a queue, when a thread has begun or begins
     * to wait, and when the system refused a thread; the core starts what is
     * missing, outside its lock. A greatest number, as of an option, is the
     * policy's to keep.
     */
    struct pons_pool_target (*on_tick)(struct pons_pool_policy *p,
                                       const struct pons_pool_view *v);

    /* A thread has nothing to do: park for so many ns, or PONS_POOL_EXIT. Asked
     * again when that time is over (`parked_ns` says how long it has idled). */
    uint64_t (*on_idle)(struct pons_pool_policy *p,
                        const struct pons_pool_view *v, uint64_t parked_ns);

    /* From which class the next job is taken; its queue is not empty. NONE:
     * nothing now (the core asks again when a job ends). */
    uint32_t (*pick)(struct pons_pool_policy *p,
                     const struct pons_pool_view *v);
};

PONS_STATIC_ASSERT(offsetof(struct pons_pool_ops, pick) == 64,
                   "ABI: pons_pool_ops");

#ifdef __cplusplus
}
#endif
#endif /* PONS_POOL_H */
