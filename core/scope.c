/* SPDX-License-Identifier: MIT */
/*
 * core/scope.c - tasks that end together: pons/scope.h.
 *
 *    OPEN ---> CLOSING ---> CLOSED        (state; under the lock)
 *         close        all have ended
 *
 * `cause` says why the tasks were asked to end: the first
 * cause stays.
 */

#include "pons/scope.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fail.h"
#include "fork.h"
#include "future.h"
#include "lock.h"
#include "runtime.h"
#include "self.h"
#include "task.h"

/* In debug builds every open scope stands among its opener's frames, and who
 * ends with one open is told (core/task.c, core/block_on.c). */
#ifdef PONS_DEBUG
enum { SCOPES_ARE_WATCHED = 1 };
#else
enum { SCOPES_ARE_WATCHED = 0 };
#endif

enum { ERRNO_MAX = 4095 }; // the kernel's; a task may answer any number

enum scope_state { SCOPE_OPEN, SCOPE_CLOSING, SCOPE_CLOSED };

enum scope_cause { CAUSE_NONE, CAUSE_DEADLINE, CAUSE_CANCEL };

void
pons_scope_open_on(struct pons_scope *s, struct pons_runtime *rt,
                   uint64_t deadline_ns)
{
    *s = (struct pons_scope){.deadline_ns = deadline_ns, .runtime = rt};
    if (deadline_ns != PONS_NEVER || SCOPES_ARE_WATCHED)
        poni_frame_open(&s->frame, FRAME_DEADLINE, deadline_ns);
}

void
pons_scope_open(struct pons_scope *s, uint64_t deadline_ns)
{
    pons_scope_open_on(s, pons_runtime_current(), deadline_ns);
}

void
pons_scope_open_guarded(struct pons_scope *s, uint64_t deadline_ns)
{
    if (!poni_self.polling) {
        pons_scope_open(s, deadline_ns);
        return;
    }
    (void)poni_refuse_poll("PONS_SCOPE_GUARD", "struct pons_scope_close");
    *s = (struct pons_scope){.deadline_ns = deadline_ns, .state = SCOPE_CLOSED};
}

/* --- the tasks --- */

int
poni_scope_add(struct pons_scope *s, struct pons_task *t)
{
    struct pons_task *first;

    poni_lock(&s->lock);
    first = s->children;
    t->sibling = first;
    t->sibling_at = (struct pons_task **)&s->children;
    if (first != NULL)
        first->sibling_at = &t->sibling;
    s->children = t;
    s->live++;
    if (s->cause != CAUSE_NONE) // it is being cancelled, and so is this
        poni_or(&t->word, TASK_CANCELLED);
    poni_unlock(&s->lock);
    return 0;
}

void
poni_scope_remove(struct pons_scope *s, struct pons_task *t)
{
    struct pons_waker closer = {NULL, NULL};

    poni_lock(&s->lock);
    *t->sibling_at = t->sibling;
    if (t->sibling != NULL)
        t->sibling->sibling_at = t->sibling_at;
    if (t->out.result < 0 && s->first_error == 0) {
        s->first_error = t->out.result;
        s->error_born = t->where;
    }
    if (--s->live == 0) {
        closer = s->closer;
        s->closer = (struct pons_waker){NULL, NULL};
    }
    poni_unlock(&s->lock); // with no task left the struct may be gone now
    pons_waker_wake(&closer);
}

/* In a forked child: the tasks, and perhaps who holds the lock, are not here.
 */
static int
scope_is_anothers(const struct pons_scope *s)
{
    return s->runtime != NULL && !poni_epoch_is(s->runtime->epoch);
}

/* The first of `*list`, which is put back among the children. */
static struct pons_task *
scope_next(struct pons_scope *s, struct pons_task **list)
{
    struct pons_task *t = *list, *first = s->children;

    if (t == NULL)
        return NULL;
    *list = t->sibling;
    if (t->sibling != NULL)
        t->sibling->sibling_at = list;
    t->sibling = first;
    t->sibling_at = (struct pons_task **)&s->children;
    if (first != NULL)
        first->sibling_at = &t->sibling;
    s->children = t;
    return t;
}

/*
 * Cancels each child once. A child that is asked may end and leave the list at
 * once, so its reference is taken under the lock and it is cancelled outside.
 * Those that are still to be asked wait on a list of their own, which they can
 * leave, too: nobody is looked at twice.
 */
static void
scope_cancel(struct pons_scope *s, enum scope_cause cause)
{
    struct pons_task *t, *rest;

    if (scope_is_anothers(s))
        return;
    poni_lock(&s->lock);
    if (s->cause == CAUSE_NONE)
        poni_store_relaxed(&s->cause, (uint32_t)cause);
    rest = s->children;
    s->children = NULL;
    if (rest != NULL)
        rest->sibling_at = &rest;
    while ((t = scope_next(s, &rest)) != NULL) {
        if (poni_load_relaxed(&t->word) & TASK_CANCELLED)
            continue;
        task_ref(&t->word);
        poni_unlock(&s->lock);
        pons_cancel(t);
        poni_task_unref(t);
        poni_lock(&s->lock);
    }
    poni_unlock(&s->lock);
}

void
pons_scope_cancel(struct pons_scope *s)
{
    scope_cancel(s, CAUSE_CANCEL);
}

static int
scope_may_spawn(const struct pons_scope *s)
{
    if (poni_load_relaxed(&s->state) == SCOPE_CLOSED)
        return poni_fail(-ECANCELED, "the scope has been closed");
    if (s->runtime == NULL)
        return poni_fail(-EINVAL,
                         "the scope was opened where there is no runtime: use "
                         "pons_scope_open_on() or pons_block_on()");
    return 0;
}

int
pons_scope_spawn_at(struct pons_scope *s, pons_fiber_f *fn, void *arg,
                    const char *where)
{
    struct poni_birth b = {.where = where, .scope = s};
    int err = scope_may_spawn(s);

    return err < 0 ? err : poni_task_spawn_fiber(s->runtime, fn, arg, NULL, &b);
}

int
pons_scope_spawn_future_at(struct pons_scope *s, struct pons_future *f,
                           const char *where)
{
    struct poni_birth b = {.where = where, .scope = s};
    int err = scope_may_spawn(s);

    if (err < 0) {
        poni_unpolled_remove(f);
        if (f->ops->drop != NULL)
            f->ops->drop(f);
        return err;
    }
    return poni_task_spawn_future(s->runtime, f, NULL, &b);
}

/* --- close --- */

static int64_t
scope_verdict(const struct pons_scope *s)
{
    switch ((enum scope_cause)s->cause) {
    case CAUSE_DEADLINE:
        return poni_fail(-ETIME, "the scope's deadline passed");
    case CAUSE_CANCEL:
        return poni_fail(-ECANCELED, "the scope was cancelled");
    case CAUSE_NONE:
        break;
    }
    if (s->first_error < 0)
        (void)poni_fail((int)s->first_error,
                        "a task of the scope, born at %s, ended with %lld (%s)",
                        s->error_born != NULL ? s->error_born : "?",
                        (long long)s->first_error,
                        s->first_error >= -ERRNO_MAX
                            ? strerror((int)-s->first_error)
                            : "its own answer");
    return s->first_error;
}

/* 0: `w` is woken when the last task has ended. */
static int
scope_ended(struct pons_scope *s, struct pons_waker *w)
{
    int ended;

    poni_lock(&s->lock);
    ended = s->live == 0;
    if (!ended)
        pons_waker_set(&s->closer, w);
    poni_unlock(&s->lock);
    return ended;
}

static enum pons_poll
close_end(struct pons_scope_close *c)
{
    struct pons_scope *s = c->scope;

    if (c->timer.base.result == -EINPROGRESS)
        pons_future_cancel(&c->timer.base);
    poni_unpolled_remove(&c->timer.base);
    pons_waker_drop(&s->closer);
    poni_store_relaxed(&s->state, SCOPE_CLOSED);
    return poni_ready(&c->base, scope_verdict(s));
}

static enum pons_poll
close_poll(struct pons_future *f, struct pons_waker *w)
{
    struct pons_scope_close *c =
        pons_container_of(f, struct pons_scope_close, base);
    struct pons_scope *s = c->scope;

    if (f->state == 0) {
        f->state = 1;
        poni_unpolled_remove(f);
        if (s->state == SCOPE_CLOSED)
            return poni_ready(f, 0);
        poni_store_relaxed(&s->state, SCOPE_CLOSING);
        poni_frame_close(&s->frame); // the wait has the timer instead
        if (scope_is_anothers(s) && s->live > 0)
            return poni_ready(f, poni_runtime_check(s->runtime));
        if (poni_cancel_due(&poni_self))
            scope_cancel(s, CAUSE_CANCEL);
    }
    if (scope_ended(s, w))
        return close_end(c);
    if (poni_load_relaxed(&s->cause) == CAUSE_NONE &&
        s->deadline_ns != PONS_NEVER &&
        pons_future_poll(&c->timer.base, w) == PONS_READY) {
        scope_cancel(s, c->timer.base.result == -ECANCELED ? CAUSE_CANCEL
                                                           : CAUSE_DEADLINE);
        if (scope_ended(s, w))
            return close_end(c);
    }
    return PONS_PENDING;
}

/* The owner is cancelled: so are the tasks, and the wait goes on. */
static void
close_cancel(struct pons_future *f)
{
    struct pons_scope_close *c =
        pons_container_of(f, struct pons_scope_close, base);

    scope_cancel(c->scope, CAUSE_CANCEL);
}

static void
close_describe(const struct pons_future *f, char *text, size_t size)
{
    const struct pons_scope_close *c =
        (const struct pons_scope_close *)(const void *)f;
    unsigned live;

    poni_lock(&c->scope->lock);
    live = c->scope->live;
    poni_unlock(&c->scope->lock);
    (void)snprintf(text, size, "close of a scope with %u tasks", live);
}

static const struct pons_future_ops close_ops = {
    .size = sizeof close_ops,
    .name = "scope_close",
    .poll = close_poll,
    .cancel = close_cancel,
    .describe = close_describe,
};

void
pons_scope_close_init(struct pons_scope_close *c, struct pons_scope *s)
{
    poni_future_init(&c->base, &close_ops);
    c->scope = s;
    c->reserved[0] = c->reserved[1] = 0;
    pons_sleep_init(&c->timer, s->deadline_ns);
    poni_unpolled_remove(&c->timer.base);
}

int
pons_scope_close(struct pons_scope *s)
{
    struct pons_scope_close c;

    if (s->state == SCOPE_CLOSED)
        return 0;
    if (poni_self.polling)
        return poni_refuse_poll("pons_scope_close()",
                                "struct pons_scope_close");
    poni_frame_close(&s->frame);
    pons_scope_close_init(&c, s);
    return (int)pons_await(&c.base);
}
