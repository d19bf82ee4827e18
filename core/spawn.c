/* SPDX-License-Identifier: MIT */
/*
 * core/spawn.c - how a task is born, from inside its runtime and from outside.
 */

#include <errno.h>

#include "fail.h"
#include "future.h"
#include "runtime.h"
#include "seat.h"
#include "self.h"
#include "task.h"

/* Only what a caller has filled in is checked. */
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
    for (unsigned i = 0; i < sizeof o->reserved / sizeof *o->reserved; i++)
        if (o->reserved[i] != 0)
            return poni_fail(-EINVAL,
                             "pons_spawn_options.reserved[%u] is not zero: set "
                             "all of the struct to zero before its fields",
                             i);
    if (o->stack_bytes > FIBER_STACK_MAX)
        return poni_fail(-EINVAL,
                         "pons_spawn_options.stack_bytes is %llu, at most %d "
                         "are allowed",
                         (unsigned long long)o->stack_bytes, FIBER_STACK_MAX);
    return 0;
}

static int
birth_read(struct poni_birth *b, const struct pons_spawn_options *o)
{
    int err = options_check(o);

    if (err == 0)
        *b = (struct poni_birth){
            .where = o->where,
            .name = o->name,
            .stack_bytes = o->stack_bytes,
            .migratable = (o->flags & PONS_SPAWN_MIGRATABLE) != 0,
        };
    return err;
}

static struct pons_task *
task_new(struct pons_runtime *rt, struct poni_seat *s,
         const struct poni_birth *b)
{
    struct pons_task *t = poni_slab_pop(s != NULL ? &s->slab : &rt->slab);

    if (t == NULL) {
        (void)poni_fail(-ENOMEM, "no memory for a task born at %s",
                        b->where ? b->where : "?");
        return NULL;
    }
    t->kind = KIND_STACKLESS;
    t->started = t->asked = 0;
    t->migratable = b->migratable & 1u;
    t->stack_log2 = 0;
    t->seat = NULL;
    t->runtime = rt;
    t->where = b->where;
    t->name = b->name;
    t->joiner = (struct pons_waker){NULL, NULL};
    t->scope = NULL;
    return t;
}

/*
 * From a thread outside: `posting` holds up the runtime's end from before the
 * task is made until it is queued (core/shutdown.c). 0: it is closed, nobody
 * might run the task. From inside, the seat runs it in any case.
 */
static int
spawn_enter(struct pons_runtime *rt, const struct poni_seat *s)
{
    if (s != NULL)
        return 1;
    poni_add_seq(&rt->posting, 1);
    if (poni_load_seq(&rt->phase) < RUNTIME_CLOSED)
        return 1;
    poni_sub_seq(&rt->posting, 1);
    (void)poni_fail(-ESHUTDOWN, "the runtime has been shut down");
    return 0;
}

static void
spawn_leave(struct pons_runtime *rt, const struct poni_seat *s)
{
    if (s == NULL)
        poni_sub_seq(&rt->posting, 1); // our last touch: it may go now
}

/* `t` is filled in: joins its scope, is born cancelled if it must, and queues.
 */
static void
task_publish(struct pons_task *t, struct poni_seat *s, struct pons_task **task,
             const struct poni_birth *b)
{
    struct pons_scope *scope = b->scope;

    /* Release pairs with core/dump.c's and shutdown's look at the word: all of
     * the task is in place. */
    poni_store_release(&t->word, TASK_QUEUED + (task ? 2u : 1u) * TASK_REF);
    if (task != NULL)
        *task = t;
    if (scope != NULL) // only who runs it looks at that
        t->scope = poni_scope_add(scope, t) == 0 ? scope : NULL;
    /* Pairs with the seq_cst exchange of the phase in shutdown: either this
     * sees CLOSING, or shutdown's walk over the slabs sees this task. Inside,
     * it would be a sixth of what a task costs: shutdown walks again. */
    if (s == NULL)
        poni_fence();
    if (poni_load_relaxed(&t->runtime->phase) != RUNTIME_OPEN)
        poni_or(&t->word, TASK_CANCELLED);
    if (b->pinned)
        poni_seat_push_pinned(s, t);
    else if (s != NULL)
        poni_seat_push_new(s, t);
    else
        poni_inject(t->runtime, t);
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

int
poni_task_spawn_fiber(struct pons_runtime *rt, pons_fiber_f *fn, void *arg,
                      struct pons_task **task, const struct poni_birth *b)
{
    struct poni_seat *s;
    struct pons_task *t;
    int err = 0;

    if (fn == NULL)
        return poni_fail(-EINVAL, "a fiber's function is NULL");
    rt = poni_runtime_or_current(rt, &err);
    if (err < 0)
        return err;
    s = seat_of_caller(rt);
    if (!spawn_enter(rt, s))
        return -ESHUTDOWN;
    t = task_new(rt, s, b);
    if (t != NULL) {
        t->kind = KIND_FIBER;
        t->stack_log2 = stack_log2(b->stack_bytes) & 127u;
        t->run.call.fn = fn;
        t->run.call.arg = arg;
        task_publish(t, s, task, b);
    }
    spawn_leave(rt, s);
    return t != NULL ? 0 : -ENOMEM;
}

static int
future_spawn(struct pons_runtime *rt, struct pons_future *f,
             struct pons_task **task, const struct poni_birth *b)
{
    struct poni_seat *s = seat_of_caller(rt);
    struct pons_task *t;

    if (!spawn_enter(rt, s))
        return -ESHUTDOWN;
    t = task_new(rt, s, b);
    if (t != NULL) {
        t->run.future = f;
        task_publish(t, s, task, b);
    }
    spawn_leave(rt, s);
    return t != NULL ? 0 : -ENOMEM;
}

/* It is consumed, whatever happens. */
static int
future_refuse(struct pons_future *f, int err)
{
    poni_unpolled_remove(f);
    if (f->ops->drop != NULL)
        f->ops->drop(f);
    return err;
}

int
poni_task_spawn_future(struct pons_runtime *rt, struct pons_future *f,
                       struct pons_task **task, const struct poni_birth *b)
{
    int err = 0;

    rt = poni_runtime_or_current(rt, &err);
    if (err == 0)
        err = future_spawn(rt, f, task, b);
    return err < 0 ? future_refuse(f, err) : 0;
}

int
pons_spawn_with(struct pons_runtime *rt, pons_fiber_f *fn, void *arg,
                struct pons_task **task, const struct pons_spawn_options *o)
{
    struct poni_birth b;
    int err = birth_read(&b, o);

    return err < 0 ? err : poni_task_spawn_fiber(rt, fn, arg, task, &b);
}

int
pons_spawn_at(struct pons_runtime *rt, pons_fiber_f *fn, void *arg,
              struct pons_task **task, const char *where)
{
    struct poni_birth b = {.where = where};

    return poni_task_spawn_fiber(rt, fn, arg, task, &b);
}

int
pons_spawn_future_with(struct pons_runtime *rt, struct pons_future *f,
                       struct pons_task **task,
                       const struct pons_spawn_options *o)
{
    struct poni_birth b;
    int err = birth_read(&b, o);

    return err < 0 ? future_refuse(f, err)
                   : poni_task_spawn_future(rt, f, task, &b);
}

int
pons_spawn_future_at(struct pons_runtime *rt, struct pons_future *f,
                     struct pons_task **task, const char *where)
{
    struct poni_birth b = {.where = where};

    return poni_task_spawn_future(rt, f, task, &b);
}
