/* SPDX-License-Identifier: MIT */
/*
 * core/task.c - tasks: born, run, woken, joined, cancelled, ended.
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
    struct poni_seat *s = poni_self_now()->seat;

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
    poni_task_wake(data);
    poni_task_unref(data);
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

/* --- spawning --- */

static const struct pons_spawn_options no_options = {
    .size = sizeof no_options,
};

static int
options_check(const struct pons_spawn_options *o)
{
    if (o->size < sizeof *o)
        return poni_fail(-EINVAL,
                         "pons_spawn_options.size is %u, wanted at least %zu: "
                         "set it to sizeof the struct",
                         o->size, sizeof *o);
    if (o->flags & ~(uint32_t)PONS_SPAWN_MIGRATABLE)
        return poni_fail(-EINVAL,
                         "pons_spawn_options.flags has unknown bits "
                         "0x%x",
                         o->flags & ~(uint32_t)PONS_SPAWN_MIGRATABLE);
    if (o->stack_bytes > FIBER_STACK_MAX)
        return poni_fail(-EINVAL,
                         "pons_spawn_options.stack_bytes is %llu, at most %d "
                         "are allowed",
                         (unsigned long long)o->stack_bytes, FIBER_STACK_MAX);
    return 0;
}

static struct pons_task *
task_new(struct pons_runtime *rt, struct poni_seat *s,
         const struct pons_spawn_options *o, int has_handle)
{
    struct pons_task *t = poni_slab_pop(s != NULL ? &s->slab : &rt->slab);

    if (t == NULL) {
        (void)poni_fail(-ENOMEM, "no memory for a task born at %s",
                        o->where ? o->where : "?");
        return NULL;
    }
    t->kind = KIND_STACKLESS;
    t->started = t->asked = 0;
    t->migratable = (o->flags & PONS_SPAWN_MIGRATABLE) != 0;
    t->stack_log2 = 0;
    t->seat = NULL;
    t->runtime = rt;
    t->where = o->where;
    t->name = o->name;
    t->joiner = (struct pons_waker){NULL, NULL};
    t->scope = NULL;
    /* Release pairs with core/dump.c's and shutdown's look at the word. */
    poni_store_release(&t->word,
                       TASK_QUEUED + (has_handle ? 2u : 1u) * TASK_REF);
    return t;
}

/*
 * From a thread outside: `posting` holds up the runtime's end between the look
 * at its phase and the push (core/shutdown.c). 0: it has stopped, nobody would
 * run the task.
 */
static int
task_inject(struct pons_task *t)
{
    struct pons_runtime *rt = t->runtime;
    int open;

    poni_add_seq(&rt->posting, 1);
    open = poni_load_seq(&rt->phase) != RUNTIME_STOPPED;
    if (open)
        poni_inject(rt, t);
    poni_sub_seq(&rt->posting, 1);
    return open;
}

/* The runtime stopped while this was being made: it has never been. */
static int
task_unmake(struct pons_task *t, struct pons_task **task)
{
    struct pons_future *f = t->run.future;

    if (t->scope != NULL) {
        t->out.result = 0;
        poni_scope_remove(t->scope, t);
    }
    if (t->kind == KIND_STACKLESS && f->ops->drop != NULL)
        f->ops->drop(f);
    poni_store_release(&t->word, TASK_DONE);
    poni_slab_unspawn(&t->runtime->slab, t);
    if (task != NULL)
        *task = NULL;
    return poni_fail(-ESHUTDOWN, "the runtime has been shut down");
}

/* `t` is filled in: joins its scope, is born cancelled if it must, and queues.
 */
static int
task_publish(struct pons_task *t, struct poni_seat *s, struct pons_task **task,
             struct pons_scope *scope)
{
    if (task != NULL)
        *task = t;
    if (scope != NULL)
        t->scope = poni_scope_add(scope, t) == 0 ? scope : NULL;
    /* Pairs with the seq_cst exchange of the phase in shutdown: either this
     * sees CLOSING, or shutdown's walk over the slabs sees this task. */
    poni_fence();
    if (poni_load_relaxed(&t->runtime->phase) != RUNTIME_OPEN)
        poni_or(&t->word, TASK_CANCELLED);
    if (s != NULL)
        poni_seat_push_new(s, t);
    else if (!task_inject(t))
        return task_unmake(t, task);
    return 0;
}

static struct poni_seat *
seat_of_caller(const struct pons_runtime *rt)
{
    struct poni_seat *s = poni_self.seat;

    return s != NULL && s->runtime == rt ? s : NULL;
}

static unsigned
stack_log2(uint64_t bytes)
{
    unsigned log2 = 0;

    while (bytes > UINT64_C(1) << log2)
        log2++;
    return log2;
}

/* After STOPPED nobody would run it: it ends here, cancelled. */
static int
task_stillborn(struct pons_runtime *rt)
{
    return poni_load_acquire(&rt->phase) == RUNTIME_STOPPED;
}

int
poni_task_spawn_fiber(struct pons_runtime *rt, pons_fiber_f *fn, void *arg,
                      struct pons_task **task,
                      const struct pons_spawn_options *o,
                      struct pons_scope *scope)
{
    struct poni_seat *s;
    struct pons_task *t;
    int err = 0;

    rt = poni_runtime_or_current(rt, &err);
    if (err < 0 || (err = options_check(o)) < 0)
        return err;
    if (task_stillborn(rt))
        return poni_fail(-ESHUTDOWN, "the runtime has been shut down");
    s = seat_of_caller(rt);
    t = task_new(rt, s, o, task != NULL);
    if (t == NULL)
        return -ENOMEM;
    t->kind = KIND_FIBER;
    t->stack_log2 = stack_log2(o->stack_bytes) & 127u;
    t->run.call.fn = fn;
    t->run.call.arg = arg;
    return task_publish(t, s, task, scope);
}

int
poni_task_spawn_future(struct pons_runtime *rt, struct pons_future *f,
                       struct pons_task **task,
                       const struct pons_spawn_options *o,
                       struct pons_scope *scope)
{
    struct poni_seat *s;
    struct pons_task *t = NULL;
    int err = 0;

    rt = poni_runtime_or_current(rt, &err);
    if (err == 0)
        err = options_check(o);
    if (err == 0 && task_stillborn(rt))
        err = poni_fail(-ESHUTDOWN, "the runtime has been shut down");
    s = err == 0 ? seat_of_caller(rt) : NULL;
    if (err == 0 && (t = task_new(rt, s, o, task != NULL)) == NULL)
        err = -ENOMEM;
    if (err < 0) {
        poni_unpolled_remove(f);
        if (f->ops->drop != NULL)
            f->ops->drop(f); // consumed, whatever happens
        return err;
    }
    t->run.future = f;
    return task_publish(t, s, task, scope);
}

int
pons_spawn_with(struct pons_runtime *rt, pons_fiber_f *fn, void *arg,
                struct pons_task **task, const struct pons_spawn_options *o)
{
    return poni_task_spawn_fiber(rt, fn, arg, task, o, NULL);
}

int
pons_spawn_at(struct pons_runtime *rt, pons_fiber_f *fn, void *arg,
              struct pons_task **task, const char *where)
{
    struct pons_spawn_options o = no_options;

    o.where = where;
    return poni_task_spawn_fiber(rt, fn, arg, task, &o, NULL);
}

int
pons_spawn_future_with(struct pons_runtime *rt, struct pons_future *f,
                       struct pons_task **task,
                       const struct pons_spawn_options *o)
{
    return poni_task_spawn_future(rt, f, task, o, NULL);
}

int
pons_spawn_future_at(struct pons_runtime *rt, struct pons_future *f,
                     struct pons_task **task, const char *where)
{
    struct pons_spawn_options o = no_options;

    o.where = where;
    return poni_task_spawn_future(rt, f, task, &o, NULL);
}

/* --- the handle --- */

enum join_state { JOIN_NEW, JOIN_WAITING };

static enum pons_poll
join_ended(struct pons_join *j)
{
    struct pons_task *t = j->task;

    j->task = NULL;
    j->base.result = t->out.result;
    poni_task_unref(t);
    return PONS_READY;
}

static enum pons_poll
join_poll(struct pons_future *f, struct pons_waker *w)
{
    struct pons_join *j = pons_container_of(f, struct pons_join, base);
    struct pons_task *t = j->task;

    poni_unpolled_remove(f);
    /* Acquire pairs with task_end(): the result is in place. */
    if (task_phase(poni_load_acquire(&t->word)) == TASK_DONE)
        return join_ended(j);
    if (t == poni_self.task) {
        j->task = NULL;
        poni_task_unref(t);
        return poni_ready(f, poni_fail(-EDEADLK, "a task that joins itself "
                                                 "would wait for ever"));
    }
    if (f->state == JOIN_WAITING) {
        if (t->joiner.ops == w->ops && t->joiner.data == w->data)
            return PONS_PENDING;
        if (!task_unjoining(&t->word))
            return join_ended(j);
    } else if (poni_cancel_due(&poni_self)) {
        pons_cancel(t);
    }
    f->state = JOIN_WAITING;
    pons_waker_set(&t->joiner, w);
    if (task_joining(&t->word))
        return PONS_PENDING;
    pons_waker_drop(&t->joiner);
    return join_ended(j);
}

/* Waiting for a task that is cancelled is waiting for it to end. */
static void
join_cancel(struct pons_future *f)
{
    struct pons_join *j = pons_container_of(f, struct pons_join, base);

    if (j->task != NULL)
        pons_cancel(j->task);
}

static void
join_describe(const struct pons_future *f, char *text, size_t size)
{
    const struct pons_join *j =
        (const struct pons_join *)(const void *)f; // base is the first member

    if (j->task != NULL)
        (void)snprintf(text, size, "join of %s, born at %s",
                       poni_task_name(j->task),
                       j->task->where ? j->task->where : "?");
}

static const struct pons_future_ops join_ops = {
    .size = sizeof join_ops,
    .name = "join",
    .poll = join_poll,
    .cancel = join_cancel,
    .describe = join_describe,
};

void
pons_join_init(struct pons_join *j, struct pons_task *t)
{
    poni_future_init(&j->base, &join_ops);
    j->task = t;
    j->reserved[0] = j->reserved[1] = 0;
}

int
pons_join(struct pons_task *t, int64_t *result)
{
    struct pons_join j;
    int64_t answer;
    int err;

    if (poni_self.polling)
        return poni_refuse_poll("pons_join()", "struct pons_join");
    if (t == poni_self.task)
        return poni_fail(-EDEADLK,
                         "a task that joins itself would wait for ever");
    err = poni_runtime_check(t->runtime);
    if (err < 0)
        return err;
    pons_join_init(&j, t);
    answer = pons_await(&j.base);
    if (result != NULL)
        *result = answer;
    return 0;
}

void
pons_detach(struct pons_task *t)
{
    if (t != NULL)
        poni_task_unref(t);
}

void
pons_cancel(struct pons_task *t)
{
    if (task_cancel(&t->word) == OWES_ENQUEUE)
        poni_task_enqueue(t);
}

int
pons_task_ended(const struct pons_task *t)
{
    return task_phase(poni_load_acquire(&t->word)) == TASK_DONE;
}
