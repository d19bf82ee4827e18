/* SPDX-License-Identifier: MIT */
/*
 * core/await.c - waiting by calling: P1.
 *
 * One loop for three kinds of callers: poll the future; if it is pending, wait;
 * when the caller's deadline or cancel is due, pass it on once, and go on until
 * the future has ended.
 *
 *   a fiber              suspends; a sleep of its own is its alarm clock
 *   a thread on a seat   (0 workers) works on the seat until it is notified
 *   any other thread     sleeps in its waiter, on what its leaves have listed
 */

#include <errno.h>

#include "fail.h"
#include "future.h"
#include "pool.h"
#include "runtime.h"
#include "seat.h"
#include "self.h"
#include "task.h"
#include "waiter.h"

enum {
    LOOK_NS = 10000000, // between two tries to sit on a seat that a shutdown
                        // has
};

struct await {
    struct pons_future *f;
    struct pons_waker waker; // lent
    uint64_t cancel_at;
    int asked; // the cancel has been passed on
};

/* Polls once, after passing on a cancel that is due. */
static enum pons_poll
await_poll(struct await *a)
{
    struct poni_self *self = poni_self_now();
    enum pons_poll answer;

    self->polling = 1;
    answer = pons_future_poll(a->f, &a->waker);
    if (answer == PONS_PENDING && !a->asked) {
        a->cancel_at = poni_cancel_at(self);
        if (a->cancel_at == 0 ||
            (a->cancel_at != PONS_NEVER && a->cancel_at <= pons_now())) {
            a->asked = 1;
            a->cancel_at = PONS_NEVER;
            pons_future_cancel(a->f);
            answer = pons_future_poll(a->f, &a->waker);
        }
    }
    poni_self_now()->polling = 0;
    return answer;
}

/* --- a fiber --- */

static void
fiber_alarm_set(struct pons_task *t, struct pons_sleep *alarm_clock,
                const struct await *a)
{
    pons_sleep_init(alarm_clock, a->cancel_at);
    poni_unpolled_remove(&alarm_clock->base);
    poni_timers_insert(&t->seat->timers, alarm_clock, &a->waker);
}

static void
fiber_alarm_stop(struct pons_sleep *alarm_clock)
{
    if (alarm_clock->deadline_ns != PONS_NEVER)
        (void)poni_timers_remove(alarm_clock, 0);
}

/* A cancel can bring forward when the wait ends: to the end of a mask that is
 * open outside a deadline. Then the alarm is set anew. */
static int64_t
fiber_await(struct pons_task *t, struct pons_future *f)
{
    struct await a = {.f = f, .waker = poni_task_waker(t)};
    struct pons_sleep alarm_clock;

    alarm_clock.deadline_ns = PONS_NEVER; // not set
    t->out.waits = f;
    while (await_poll(&a) == PONS_PENDING) {
        if (a.cancel_at < alarm_clock.deadline_ns) {
            fiber_alarm_stop(&alarm_clock);
            fiber_alarm_set(t, &alarm_clock, &a);
        }
        poni_fiber_suspend(t->run.stack.fiber);
    }
    fiber_alarm_stop(&alarm_clock);
    t->out.waits = NULL;
    return f->result;
}

/* --- an ordinary thread --- */

static void
thread_park(struct await *a, struct poni_waiter *w, struct poni_wait *wait)
{
    uint64_t at = a->cancel_at, look;

    if (w->made != NULL && (look = pons_after_ns(LOOK_NS)) < at)
        at = look; // a shutdown works on our seat, and may leave it
    poni_waiter_park(w, wait, at);
}

static void
thread_wait(struct await *a, struct poni_waiter *w, struct poni_wait *wait)
{
    int in_job = poni_pool_current_job() != NULL;

    if (in_job)
        poni_pool_wait_begin();
    if (poni_self.seat != NULL)
        poni_waiter_drive(w, poni_self.seat, a->cancel_at);
    else
        thread_park(a, w, wait);
    if (in_job)
        poni_pool_wait_end();
}

/* The seat of a runtime without workers that this thread has made, if it does
 * not sit there already. A shutdown may have it, and leave tasks, which go on.
 */
static struct poni_seat *
thread_sit(struct poni_waiter *w)
{
    uint32_t phase;

    if (poni_self.seat != NULL || w->made == NULL)
        return NULL;
    phase = poni_load_acquire(&w->made->phase);
    if (phase < RUNTIME_STOPPED && poni_runtime_check(w->made) == 0)
        return phase == RUNTIME_OPEN ||
                       poni_load_acquire(&w->made->shutdown) == SHUTDOWN_DONE
                   ? poni_sit(w->made)
                   : NULL;
    poni_runtime_release(w->made);
    w->made = NULL;
    return NULL;
}

static int64_t
thread_await(struct pons_future *f)
{
    struct poni_self *self = &poni_self;
    struct poni_waiter *w = poni_waiter_self();
    struct poni_context here = {NULL, NULL, NULL, NULL}, *outer = self->context;
    struct poni_context *context = outer != NULL ? outer : &here;
    struct poni_wait wait = {NULL, NULL, 0}, *outer_wait = context->wait;
    struct await a = {.f = f};
    struct poni_seat *seat;

    if (w == NULL)
        return poni_fail(-ENOMEM, "no memory for the thread's first wait");
    if (self->seat != NULL && poni_runtime_check(self->seat->runtime) < 0)
        self->seat = NULL; // a forked child's copy of its parent's
    seat = thread_sit(w);
    a.waker = (struct pons_waker){&poni_waiter_waker_ops, w};
    self->context = context;
    context->wait = &wait;
    while (await_poll(&a) == PONS_PENDING) {
        if (self->seat == NULL && w->made != NULL)
            seat = thread_sit(w); // a shutdown may have left it
        thread_wait(&a, w, &wait);
    }
    context->wait = outer_wait;
    self->context = outer;
    if (seat != NULL)
        poni_unsit(seat);
    return f->result;
}

int64_t
poni_await(struct pons_future *f)
{
    struct poni_self *self = &poni_self;

    if (self->polling || (self->task == NULL && self->seat != NULL &&
                          self->seat->working)) // a hook or waker on a worker
        return poni_refuse_poll("pons_await()", "the future itself");
    if (self->task != NULL && self->task->kind == KIND_FIBER)
        return fiber_await(self->task, f);
    return thread_await(f);
}

int64_t
poni_await_as(struct pons_future *f, const char *what)
{
    struct poni_fail_mark before = poni_fail_mark();
    int64_t result = poni_await(f);

    if (result < 0)
        poni_fail_plain(before, result, what);
    return result;
}

int64_t
pons_await(struct pons_future *f)
{
    return poni_await_as(f, f->ops->name);
}

/* --- deadlines on a call --- */

int
pons_timeout(uint64_t deadline_ns, pons_fiber_f *fn, void *arg, int64_t *result)
{
    struct poni_context here = {NULL, NULL, NULL, NULL};
    struct poni_self *self = &poni_self;
    struct pons_mask frame;
    int owns_context = self->context == NULL && !self->polling, late;
    int64_t answer;

    if (self->polling)
        return poni_refuse_poll("pons_timeout()", "struct pons_timeout");
    if (owns_context)
        self->context = &here;
    poni_frame_open(&frame, FRAME_DEADLINE, deadline_ns);
    answer = fn(arg);
    poni_frame_close(&frame);
    self = poni_self_now();
    /* Its own deadline, not one from outside: the caller goes on. */
    late = answer == -ECANCELED && deadline_ns <= pons_now() &&
           !poni_cancel_due(self);
    if (owns_context)
        self->context = NULL;
    if (late)
        return poni_fail(-ETIME, "the deadline passed");
    if (result != NULL)
        *result = answer;
    return 0;
}
