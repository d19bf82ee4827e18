/* SPDX-License-Identifier: MIT */
#ifndef PONI_SELF_H
#define PONI_SELF_H

/*
 * core/self.h - what the core knows of the calling thread, and of who waits.
 *
 * A context is one waiter: a fiber, or an ordinary thread inside a wait or a
 * pons_block_on(). It carries the current runtime and the stack of deadlines
 * and masks. Calls made inside poll() of a stackless future have no context of
 * their own: `polling` says so, and the calling forms refuse (P1).
 *
 * poni_self is thread-local and a fiber that may migrate must not keep its
 * address over a suspend: take it anew by poni_self_now().
 */

#include "pons/future.h"
#include "pons/time.h"
#include "task.h"

struct pons_runtime;
struct poni_seat;
struct poni_waiter;

struct poni_context {
    struct pons_runtime *runtime; // NULL: none
    struct pons_task *task;       // NULL: an ordinary thread
    struct pons_mask *frames;     // deadlines and masks, innermost first
    struct poni_wait *wait;       // an ordinary thread's wait in course
};

struct poni_self {
    struct poni_context *context; // who runs; NULL: an ordinary thread
    struct poni_seat *seat;       // the seat this thread sits on, or NULL
    struct pons_task *task;       // the task that runs, fiber or stackless
    struct poni_waiter *waiter;   // core/waiter.c
    uint32_t polling;             // inside poll(): calling forms refuse
    uint32_t overdue; // inside poll() of what a pons_timeout has asked to end
};

extern __thread struct poni_self poni_self;

/* Not inlined: a fresh address after a fiber has changed threads. */
struct poni_self *poni_self_now(void);

/* When the caller's waits are to be cancelled: 0 now, PONS_NEVER not. */
uint64_t poni_cancel_at(const struct poni_self *self);

/* Whether that is so already. Leaves ask at their first poll. */
int poni_cancel_due_by_frames(const struct poni_self *self);

static inline int
poni_cancel_due(const struct poni_self *self)
{
    /* Relaxed: a cancel that is not seen yet wakes the task again. */
    if (self->overdue)
        return 1;
    if ((self->task == NULL ||
         !(poni_load_relaxed(&self->task->word) & TASK_CANCELLED)) &&
        (self->context == NULL || self->context->frames == NULL))
        return 0; // nearly always
    return poni_cancel_due_by_frames(self);
}

/* Opens a deadline or a mask on the caller's waits, if it is one that waits by
 * calling. Close takes it out wherever it is, and may be called twice. */
enum poni_frame_kind { FRAME_DEADLINE, FRAME_MASK };
void poni_frame_open(struct pons_mask *frame, enum poni_frame_kind kind,
                     uint64_t deadline_ns);
void poni_frame_close(struct pons_mask *frame);

/* A waiter ends: reports what it has left open since `outer` was innermost. */
void poni_frames_end(const struct poni_context *context,
                     const struct pons_mask *outer);

/* pons_await(), whose failure's sentence is the caller's affair. */
int64_t poni_await(struct pons_future *f);

/* pons_await(), whose failure is told of `what`. */
int64_t poni_await_as(struct pons_future *f, const char *what);

/* Logs a calling form inside poll() and returns -EDEADLK. */
int poni_refuse_poll(const char *call, const char *instead);

#endif /* PONI_SELF_H */
