/* SPDX-License-Identifier: MIT */
/*
 * core/task.c - a task's life between its birth (core/spawn.c) and its joiner
 * (core/join.c): woken, run, ended.
 */

#include "task.h"

#include <errno.h>
#include <string.h>

#include "fail.h"
#include "future.h"
#include "runtime.h"
#include "seat.h"
#include "self.h"

const char *
poni_task_name(const struct pons_task *t)
{
    if (t->name != NULL)
        return t->name;
    return t->kind == KIND_FIBER ? "fiber" : "task";
}

/* --- references and wakes --- */

static void
task_free(struct pons_task *t)
{
    struct pons_runtime *rt = t->runtime;
    struct poni_seat *s = poni_self.seat; // nothing here suspends

    poni_slab_push(s != NULL && s->runtime == rt ? &s->slab : NULL, t);
}

void
poni_task_unref(struct pons_task *t)
{
    if (task_unref(&t->word) == OWES_FREE)
        task_free(t);
}

void
poni_task_wake(struct pons_task *t)
{
    if (task_wake(&t->word) == OWES_ENQUEUE)
        poni_task_enqueue(t);
}

static void
waker_clone(void *data)
{
    task_ref(&((struct pons_task *)data)->word);
}

static void
waker_notify(void *data)
{
    poni_task_wake(data);
}

static void
waker_wake(void *data)
{
    struct pons_task *t = data;

    switch (task_wake_unref(&t->word)) {
    case OWES_ENQUEUE:
        poni_task_enqueue(t);
        break;
    case OWES_FREE:
        task_free(t);
        break;
    default:
        break;
    }
}

static void
waker_release(void *data)
{
    poni_task_unref(data);
}

const struct pons_waker_ops poni_task_waker_ops = {
    .size = sizeof poni_task_waker_ops,
    .clone = waker_clone,
    .wake = waker_wake,
    .notify = waker_notify,
    .release = waker_release,
};

/* --- the end --- */

/* drop() may wait as little as poll() may. */
static void
task_drop_future(struct pons_task *t)
{
    struct pons_future *f = t->run.future;

    t->out.result = f->result;
    poni_self.polling = 1;
    if (f->ops->drop != NULL)
        f->ops->drop(f);
    poni_self.polling = 0;
}

void
poni_task_finish(struct poni_seat *s, struct pons_task *t)
{
    struct pons_runtime *rt = t->runtime;
    struct pons_waker joiner;

    poni_unpolled_report(t);
    if (t->kind == KIND_STACKLESS)
        task_drop_future(t);
    else if (t->started)
        poni_fiber_free(t->run.stack.fiber);
    poni_self.task = NULL;
    if (t->scope != NULL)
        poni_scope_remove(t->scope, t);
    switch (task_end(&t->word)) {
    case OWES_JOINER:
        joiner = t->joiner; // and stays: the joiner may be looking at it
        pons_waker_wake(&joiner);
        poni_task_unref(t);
        break;
    case OWES_FREE:
        poni_slab_push(&s->slab, t);
        break;
    default:
        break;
    }
    poni_count(&s->finished);
    if (poni_load_relaxed(&rt->phase) != RUNTIME_OPEN)
        poni_task_finished(rt);
}

/* --- running: what core/run.h calls when it is not the commonest case --- */

/* Cancelled before its first poll: it may look, and end, and what it has begun
 * to wait for is cancelled at once. */
static enum pons_poll
poll_born_cancelled(struct pons_task *t, struct pons_future *f,
                    struct pons_waker *w)
{
    t->asked = 1;
    if (pons_future_poll(f, w) == PONS_READY)
        return PONS_READY;
    pons_future_cancel(f);
    return pons_future_poll(f, w);
}

enum pons_poll
poni_task_poll_cancelled(struct pons_task *t, struct pons_waker *w)
{
    struct pons_future *f = t->run.future;

    if (!t->started) {
        t->started = 1;
        return poll_born_cancelled(t, f, w);
    }
    if (!t->asked) {
        t->asked = 1;
        pons_future_cancel(f);
    }
    return pons_future_poll(f, w);
}

/* What a fiber is started with; on the starter's stack until the first switch.
 */
struct fiber_start {
    struct pons_task *task;
    pons_fiber_f *fn;
    void *arg;
};

static void
fiber_main(void *arg)
{
    struct fiber_start start = *(struct fiber_start *)arg;
    struct pons_task *t = start.task;
    struct poni_context context = {.runtime = t->runtime, .task = t};

    t->run.stack.context = &context;
    poni_self_now()->context = &context;
    t->out.waits = NULL;
    t->out.result = start.fn(start.arg);
    poni_frames_end(&context, NULL);
}

int
poni_task_start_fiber(struct pons_task *t)
{
    struct fiber_start start = {t, t->run.call.fn, t->run.call.arg};

    t->run.stack.context = NULL;
    t->run.stack.fiber = poni_fiber_new(
        t->stack_log2 ? (size_t)1 << t->stack_log2 : 0, fiber_main, &start);
    if (t->run.stack.fiber == NULL) {
        t->out.result =
            poni_fail(-ENOMEM, "no memory for the stack of a fiber born at %s",
                      t->where ? t->where : "?");
        return 1;
    }
    t->started = 1;
    return poni_fiber_resume(t->run.stack.fiber);
}
