/* SPDX-License-Identifier: MIT */
/*
 * core/self.c - see core/self.h.
 *
 * When a waiter is to be cancelled is one number, computed outwards:
 *
 *     nothing open          0 if the task was cancelled, else never
 *     a deadline d inside   min(d, what is outside)
 *     a mask until m        max(m, what is outside)
 */

#include "self.h"

#include <errno.h>

#include "fail.h"
#include "runtime.h"
#include "seat.h"
#include "task.h"

__thread struct poni_self poni_self;

__attribute__((noinline)) struct poni_self *
poni_self_now(void)
{
    __asm__ volatile(""); // no inlining, no cloning, no merging of two calls
    return &poni_self;
}

static uint64_t
frame_cancel_at(const struct pons_mask *frame, uint64_t outermost)
{
    uint64_t outside;

    if (frame == NULL)
        return outermost;
    outside = frame_cancel_at(frame->outer, outermost);
    if (frame->kind == FRAME_MASK)
        return frame->deadline_ns > outside ? frame->deadline_ns : outside;
    return frame->deadline_ns < outside ? frame->deadline_ns : outside;
}

uint64_t
poni_cancel_at(const struct poni_self *self)
{
    uint64_t outermost = PONS_NEVER;

    /* Relaxed: a cancel that is not seen yet wakes the task again. */
    if (self->task != NULL &&
        (poni_load_relaxed(&self->task->word) & TASK_CANCELLED))
        outermost = 0;
    if (self->context == NULL)
        return outermost;
    return frame_cancel_at(self->context->frames, outermost);
}

int
poni_cancel_due_by_frames(const struct poni_self *self)
{
    uint64_t at = poni_cancel_at(self);

    return at != PONS_NEVER && (at == 0 || at <= pons_now());
}

/* An ordinary thread's outside pons_block_on(), while it has a frame open. */
static __thread struct poni_context bare_context;

void
poni_frame_open(struct pons_mask *frame, enum poni_frame_kind kind,
                uint64_t deadline_ns)
{
    struct poni_context *context = poni_self.context;

    if (context == NULL && !poni_self.polling)
        context = poni_self.context = &bare_context;
    frame->deadline_ns = deadline_ns;
    frame->kind = kind;
    frame->context = context;
    frame->outer = NULL;
    if (context == NULL || poni_self.polling)
        return;
    frame->outer = context->frames;
    context->frames = frame;
}

void
poni_frame_close(struct pons_mask *frame)
{
    struct poni_context *context = frame->context;
    struct pons_mask **at;

    if (context == NULL)
        return;
    frame->context = NULL; // closing it again does nothing
    for (at = &context->frames; *at != NULL; at = &(*at)->outer)
        if (*at == frame) {
            *at = frame->outer;
            break;
        }
    if (context == &bare_context && context->frames == NULL &&
        poni_self.context == context)
        poni_self.context = NULL;
}

void
poni_frames_end(const struct poni_context *context,
                const struct pons_mask *outer)
{
    const struct pons_task *t = context->task;

    if (context->frames != outer)
        poni_log(
            PONS_LOG_ERROR, "scope",
            "a scope or mask that was opened in %s \"%s\", born at %s, was "
            "never closed: use PONS_SCOPE_GUARD",
            t != NULL ? "task" : "a job or pons_block_on()",
            t != NULL ? poni_task_name(t) : "-",
            t != NULL && t->where != NULL ? t->where : "?");
}

int
poni_refuse_poll(const char *call, const char *instead)
{
    const struct pons_task *t = poni_self.task;

    poni_log(PONS_LOG_ERROR, "task",
             "%s was called inside poll() of %s \"%s\", born at %s, where "
             "nothing may wait; use %s with PONS_AWAIT",
             call, t != NULL ? "task" : "a future of this thread",
             t != NULL ? poni_task_name(t) : "-",
             t != NULL && t->where != NULL ? t->where : "?", instead);
    return poni_fail(-EDEADLK,
                     "%s inside poll() of a stackless future would block its "
                     "worker; use %s with PONS_AWAIT",
                     call, instead);
}

void
pons_mask_open(struct pons_mask *m, uint64_t grace_ns)
{
    poni_frame_open(m, FRAME_MASK, pons_after_ns(grace_ns));
}

void
pons_mask_close(struct pons_mask *m)
{
    poni_frame_close(m);
}

struct pons_runtime *
pons_runtime_current(void)
{
    if (poni_self.context != NULL && poni_self.context->runtime != NULL)
        return poni_self.context->runtime;
    return poni_self.task != NULL ? poni_self.task->runtime : NULL;
}

int
pons_cancelled(void)
{
    const struct pons_mask *f =
        poni_self.context != NULL ? poni_self.context->frames : NULL;
    uint64_t now = 0;

    if (poni_self.task != NULL &&
        (poni_load_relaxed(&poni_self.task->word) & TASK_CANCELLED))
        return 1;
    for (; f != NULL; f = f->outer) {
        if (f->kind != FRAME_DEADLINE)
            continue;
        now = now ? now : pons_now();
        if (f->deadline_ns <= now)
            return 1;
    }
    return 0;
}
