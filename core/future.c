/* SPDX-License-Identifier: MIT */
/*
 * core/future.c - what every future has, and the smallest one: yield.
 */

#include "future.h"

#include <errno.h>
#include <sched.h>

#include "seat.h"
#include "self.h"
#include "task.h"

void
pons_future_init(struct pons_future *f, const struct pons_future_ops *ops)
{
    *f = (struct pons_future){.ops = ops, .result = -EINPROGRESS};
}

void
pons_future_cancel(struct pons_future *f)
{
    while (f->ops->cancel == NULL) {
        f = f->child;
        if (f == NULL)
            return; // between two waits: the next leaf asks by itself
    }
    f->ops->cancel(f);
}

enum yield_state { YIELD_NEW, YIELD_WAITING };

static enum pons_poll
yield_poll(struct pons_future *f, struct pons_waker *w)
{
    struct poni_self *self = &poni_self;

    poni_unpolled_remove(f);
    if (f->state == YIELD_WAITING)
        return poni_ready(f, poni_cancel_due(self) ? -ECANCELED : 0);
    if (poni_cancel_due(self))
        return poni_ready(f, -ECANCELED);
    f->state = YIELD_WAITING;
    if (self->seat != NULL && self->task != NULL) {
        poni_seat_yield(self->seat, w);
    } else {
        (void)sched_yield();
        pons_waker_notify(w);
    }
    return PONS_PENDING;
}

/* A yield ends by itself at the next poll, cancelled or not. */
static void
yield_cancel(struct pons_future *f)
{
    (void)f;
}

static const struct pons_future_ops yield_ops = {
    .size = sizeof yield_ops,
    .name = "yield",
    .poll = yield_poll,
    .cancel = yield_cancel,
};

void
pons_yield_init(struct pons_yield *y)
{
    poni_future_init(&y->base, &yield_ops);
}

/* A fiber needs no future to let others run. */
static int
fiber_yield(struct pons_task *t)
{
    struct poni_self *self = &poni_self;

    if (poni_cancel_due(self))
        return -ECANCELED;
    self->seat->has_yielded = 1;
    poni_fiber_suspend(t->run.stack.fiber);
    return poni_cancel_due(poni_self_now()) ? -ECANCELED : 0;
}

int
pons_yield(void)
{
    struct pons_yield y;

    if (poni_self.polling)
        return poni_refuse_poll("pons_yield()", "struct pons_yield");
    if (poni_self.task != NULL && poni_self.task->kind == KIND_FIBER)
        return fiber_yield(poni_self.task);
    pons_yield_init(&y);
    return (int)pons_await(&y.base);
}
