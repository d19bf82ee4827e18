/* SPDX-License-Identifier: MIT */
#ifndef PONS_TASK_H
#define PONS_TASK_H

/*
 * pons/task.h - what runs by itself: spawn, join, detach, cancel.
 *
 * A task is a spawned future (stackless) or a spawned function (a fiber, whose
 * code waits by calling, at any depth). Both have one handle, one place of
 * birth and one result.
 *
 *     struct pons_task *t;
 *     int64_t answer;
 *     int err = pons_spawn(NULL, think, arg, &t);
 *
 *     if (err == 0)
 *         err = pons_join(t, &answer);
 *
 * Ownership   A handle is one reference. pons_join() and pons_detach() consume
 *             it, everything else borrows it. A spawned future is consumed: its
 *             drop() runs exactly once, after its last poll and before join
 *             returns, also when spawning failed.
 *
 * Threads     Any thread, any task. A NULL runtime is the current one: the
 *             task's or job's, else that of the enclosing pons_block_on(),
 *             else there is none and the call is -EINVAL.
 *
 * Failure     -ENOMEM; -EOWNERDEAD in a forked child (P10). While a
 *             shutdown drains, spawning succeeds and the task is born
 *             cancelled; after it has ended, -ESHUTDOWN, but to a task that
 *             it left.
 */

#include "future.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pons_runtime;
struct pons_task;

/* A function that waits by calling. Its answer is the task's result. */
typedef int64_t pons_fiber_f(void *arg);

enum pons_spawn_flags {
    PONS_SPAWN_MIGRATABLE = 1u << 0, /* a fiber that may change threads: it and
                                        all it calls keep no address of a
                                        thread-local (errno!) over a wait */
};

/* The wide form of the two below. `where` and `name` are static or NULL. */
struct pons_spawn_options {
    uint32_t size;        /* of this struct */
    uint32_t flags;       /* enum pons_spawn_flags */
    uint64_t stack_bytes; /* of a fiber; 0: 256 KiB. Rounded up to a power of
                             two, at most 64 MiB. Touched lazily */
    const char *name;     /* shown by pons_dump() */
    const char *where;    /* PONS_HERE */
    uint64_t reserved[4]; /* zero */
};

PONS_STATIC_ASSERT(offsetof(struct pons_spawn_options, reserved) == 32,
                   "ABI: pons_spawn_options");

/*
 * Starts `fn(arg)` as a fiber. Borrows `arg` for as long as fn uses it. `task`
 * gets the handle; NULL detaches at once. The second form names the place of
 * birth (static), the third more than that: borrows `o` during the call, and
 * answers -EINVAL for what is not allowed in it.
 */
#define pons_spawn(rt, fn, arg, task) \
    pons_spawn_at(rt, fn, arg, task, PONS_HERE)
PONS_API PONS_MUST_USE int pons_spawn_at(struct pons_runtime *rt,
                                         pons_fiber_f *fn, void *arg,
                                         struct pons_task **task,
                                         const char *where);
PONS_API PONS_MUST_USE int pons_spawn_with(struct pons_runtime *rt,
                                           pons_fiber_f *fn, void *arg,
                                           struct pons_task **task,
                                           const struct pons_spawn_options *o);

/* The text of a place, for those who cannot write PONS_HERE where they spawn:
 * "file:line", made once and static from then on. Borrows `file`. NULL: no
 * memory, which is a place, too. Any thread. */
PONS_API const char *pons_place(const char *file, unsigned line);

/* Starts `f` as a stackless task. Consumes `f`, also when it fails. `task` and
 * the other forms as above. */
#define pons_spawn_future(rt, f, task) \
    pons_spawn_future_at(rt, f, task, PONS_HERE)
PONS_API PONS_MUST_USE int pons_spawn_future_at(struct pons_runtime *rt,
                                                struct pons_future *f,
                                                struct pons_task **task,
                                                const char *where);
PONS_API PONS_MUST_USE int
pons_spawn_future_with(struct pons_runtime *rt, struct pons_future *f,
                       struct pons_task **task,
                       const struct pons_spawn_options *o);

/*
 * Waits for the end of `t` and stores its result if `result` is not NULL. When
 * the caller is cancelled the task is cancelled too, and still awaited: what it
 * then answers is stored, and this returns 0. Consumes `t`, except when it
 * returns -EDEADLK (a task that joins itself; inside poll()) or -EOWNERDEAD.
 * pons_last_error() speaks of this call only: a task's own negative answer, in
 * `result`, leaves no sentence here.
 */
PONS_API PONS_MUST_USE int pons_join(struct pons_task *t, int64_t *result);

/* Future form. The handle is consumed when it ended; its result is the task's.
 */
struct pons_join {
    struct pons_future base;
    struct pons_task *task;
    uint64_t reserved[2];
};

PONS_STATIC_ASSERT(sizeof(struct pons_join) == 64, "ABI: pons_join");

/* Consumes `t` when the future has ended. */
PONS_API void pons_join_init(struct pons_join *j, struct pons_task *t);

/* Lets `t` go on alone. Consumes `t`; NULL is allowed. */
PONS_API void pons_detach(struct pons_task *t);

/*
 * Asks `t` to end (P3). Sticky: every later wait of it that is not masked
 * answers -ECANCELED. Borrows `t`. Never waits.
 */
PONS_API void pons_cancel(struct pons_task *t);

/* Whether `t` has ended, its drop() included. Borrows `t`. */
PONS_API int pons_task_ended(const struct pons_task *t);

/* Whether the calling task or enclosing wait was asked to end, mask or not. */
PONS_API int pons_cancelled(void);

#ifdef __cplusplus
}
#endif
#endif /* PONS_TASK_H */
