/* SPDX-License-Identifier: MIT */
/*
 * core/time.c - the clock, sleeping, and a deadline around a future.
 */

#include "pons/time.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "fail.h"
#include "future.h"
#include "lock.h"
#include "seat.h"
#include "self.h"
#include "timers.h"
#include "waiter.h"

uint64_t
pons_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * PONS_S + (uint64_t)t.tv_nsec;
}

uint64_t
pons_after_ns(uint64_t n)
{
    uint64_t now = pons_now();

    return n > PONS_NEVER - now ? PONS_NEVER : now + n;
}

uint64_t
pons_after_ms(uint64_t n)
{
    return n > PONS_NEVER / PONS_MS ? PONS_NEVER : pons_after_ns(n * PONS_MS);
}

/* --- sleep --- */

/* On an ordinary thread: into or out of the list of its wait. */
static void
sleep_list(struct pons_sleep *s, struct poni_wait *wait)
{
    s->base.state = SLEEP_LISTED;
    s->owner = wait;
    s->links[0] = wait->sleeps;
    wait->sleeps = s;
}

static void
sleep_unlist(struct pons_sleep *s)
{
    struct poni_wait *wait = s->owner;
    struct pons_sleep **at = &wait->sleeps;

    while (*at != s)
        at = (struct pons_sleep **)&(*at)->links[0];
    *at = s->links[0];
    s->base.state = SLEEP_ENDED;
}

static enum pons_poll
sleep_begin(struct pons_sleep *s, struct pons_waker *w)
{
    struct poni_self *self = &poni_self;

    poni_unpolled_remove(&s->base);
    if (poni_cancel_due(self))
        return poni_ready(&s->base, -ECANCELED);
    if (s->deadline_ns != PONS_NEVER && s->deadline_ns <= pons_now())
        return poni_budget_take(self, w) ? poni_ready(&s->base, 0)
                                         : PONS_PENDING; // still NEW
    if (self->seat != NULL)
        poni_timers_insert(&self->seat->timers, s, w);
    else if (self->context != NULL && self->context->wait != NULL)
        sleep_list(s, self->context->wait);
    else
        return poni_ready(
            &s->base, poni_fail(-EINVAL, "a sleep was polled outside a task "
                                         "and outside pons_await()"));
    return PONS_PENDING;
}

static enum pons_poll
sleep_poll(struct pons_future *f, struct pons_waker *w)
{
    struct pons_sleep *s = pons_container_of(f, struct pons_sleep, base);
    struct poni_timers *t;
    enum pons_poll answer;

    /* Acquire pairs with sleep_end() in core/timers.c. */
    switch (poni_load_acquire(&f->state)) {
    case SLEEP_NEW:
        return sleep_begin(s, w);
    case SLEEP_LINKED:
        t = s->owner;
        poni_lock(&t->lock);
        answer = f->state == SLEEP_LINKED ? PONS_PENDING : PONS_READY;
        if (answer == PONS_PENDING)
            pons_waker_set(&s->waker, w);
        poni_unlock(&t->lock);
        return answer;
    case SLEEP_LISTED:
        if (s->deadline_ns > pons_now())
            return PONS_PENDING;
        sleep_unlist(s);
        return poni_ready(f, 0);
    default:
        return PONS_READY;
    }
}

static void
sleep_cancel(struct pons_future *f)
{
    struct pons_sleep *s = pons_container_of(f, struct pons_sleep, base);

    switch (poni_load_acquire(&f->state)) {
    case SLEEP_LINKED:
        (void)poni_timers_remove(s, -ECANCELED);
        break;
    case SLEEP_LISTED:
        sleep_unlist(s);
        f->result = -ECANCELED;
        break;
    default:
        break;
    }
}

static void
sleep_describe(const struct pons_future *f, char *text, size_t size)
{
    const struct pons_sleep *s = (const struct pons_sleep *)(const void *)f;
    uint64_t now = pons_now();

    (void)snprintf(text, size, "sleep, %.3f ms to go",
                   s->deadline_ns > now ? (double)(s->deadline_ns - now) / 1e6
                                        : 0.0);
}

static const struct pons_future_ops sleep_ops = {
    .size = sizeof sleep_ops,
    .name = "sleep",
    .poll = sleep_poll,
    .cancel = sleep_cancel,
    .describe = sleep_describe,
};

void
pons_sleep_init(struct pons_sleep *s, uint64_t deadline_ns)
{
    poni_future_init(&s->base, &sleep_ops);
    s->deadline_ns = deadline_ns;
    s->waker = (struct pons_waker){NULL, NULL};
}

int
pons_sleep_until(uint64_t deadline_ns)
{
    struct pons_sleep s;

    if (poni_self.polling)
        return poni_refuse_poll("pons_sleep()", "struct pons_sleep");
    pons_sleep_init(&s, deadline_ns);
    return (int)pons_await(&s.base);
}

int
pons_sleep(uint64_t duration_ns)
{
    return pons_sleep_until(pons_after_ns(duration_ns));
}

/* --- timeout around a future --- */

/*
 *    NEW ---> RUNNING ---> ASKED (the deadline came first; the child was told)
 *               |            |
 *               +----------> the child has ended: the timer is ended, too
 */
enum timeout_state { TIMEOUT_NEW, TIMEOUT_RUNNING, TIMEOUT_ASKED };

static enum pons_poll
timeout_ended(struct pons_timeout *t)
{
    int64_t answer = t->inner->result;

    if (t->base.state == TIMEOUT_RUNNING)
        sleep_cancel(&t->timer.base);
    if (t->base.state == TIMEOUT_ASKED && answer == -ECANCELED &&
        t->base.reserved == 0)
        answer = -ETIME;
    return poni_ready(&t->base, answer);
}

/* Once asked, every later wait of the child answers -ECANCELED, too (P3). */
static enum pons_poll
timeout_poll_inner(struct pons_timeout *t, struct pons_waker *w)
{
    struct poni_self *self = &poni_self;
    uint32_t outer = self->overdue;
    enum pons_poll answer;

    self->overdue |= t->base.state == TIMEOUT_ASKED;
    answer = pons_future_poll(t->inner, w);
    self->overdue = outer;
    return answer;
}

static enum pons_poll
timeout_poll(struct pons_future *f, struct pons_waker *w)
{
    struct pons_timeout *t = pons_container_of(f, struct pons_timeout, base);

    if (f->state == TIMEOUT_NEW) {
        poni_unpolled_remove(f);
        f->state = TIMEOUT_RUNNING;
        f->child = t->inner;
    }
    if (timeout_poll_inner(t, w) == PONS_READY)
        return timeout_ended(t);
    if (f->state == TIMEOUT_ASKED ||
        pons_future_poll(&t->timer.base, w) == PONS_PENDING)
        return PONS_PENDING;
    f->state = TIMEOUT_ASKED;
    if (t->timer.base.result == -ECANCELED)
        f->reserved = 1; // the caller was cancelled; the child finds out alone
    else
        pons_future_cancel(t->inner);
    if (timeout_poll_inner(t, w) == PONS_READY)
        return timeout_ended(t);
    return PONS_PENDING;
}

/* A cancel from outside is not a deadline: base.reserved remembers it. */
static void
timeout_cancel(struct pons_future *f)
{
    struct pons_timeout *t = pons_container_of(f, struct pons_timeout, base);

    f->reserved = 1;
    pons_future_cancel(t->inner);
}

static const struct pons_future_ops timeout_ops = {
    .size = sizeof timeout_ops,
    .name = "timeout",
    .poll = timeout_poll,
    .cancel = timeout_cancel,
};

void
pons_timeout_init(struct pons_timeout *t, uint64_t deadline_ns,
                  struct pons_future *child)
{
    poni_future_init(&t->base, &timeout_ops);
    t->inner = child;
    t->reserved = 0;
    pons_sleep_init(&t->timer, deadline_ns);
    poni_unpolled_remove(&t->timer.base);
}
