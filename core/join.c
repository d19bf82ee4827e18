/* SPDX-License-Identifier: MIT */
/*
 * core/join.c - what one does with a task's handle: join, detach, cancel.
 */

#include <errno.h>
#include <stdio.h>

#include "fail.h"
#include "fork.h"
#include "future.h"
#include "runtime.h"
#include "self.h"
#include "task.h"

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
    if (t == NULL)
        return poni_fail(-EINVAL, "the task to join is NULL: was it spawned?");
    if (t == poni_self.task)
        return poni_fail(-EDEADLK,
                         "a task that joins itself would wait for ever");
    err = poni_runtime_check(t->runtime);
    if (err < 0)
        return err;
    pons_join_init(&j, t);
    answer = poni_await(&j.base);
    if (result != NULL)
        *result = answer;
    return 0;
}

void
pons_detach(struct pons_task *t)
{
    if (t != NULL && poni_epoch_is(t->runtime->epoch))
        poni_task_unref(t); // else a forked child's copy
}

void
pons_cancel(struct pons_task *t)
{
    if (poni_epoch_is(t->runtime->epoch) &&
        task_cancel(&t->word) == OWES_ENQUEUE)
        poni_task_enqueue(t);
}

int
pons_task_ended(const struct pons_task *t)
{
    return task_phase(poni_load_acquire(&t->word)) == TASK_DONE;
}
