/* SPDX-License-Identifier: MIT */
/*
 * core/call.c - see core/call.h for the states.
 *
 * A first poll on a seat offers the op to the seat's reactor; what that does
 * not do goes to the pool as a job, but for a read of what is in memory: the
 * way to the pool and back costs more than such a read. On an ordinary thread
 * the system call is made here and now, since blocking is what such a thread
 * does; under a deadline, on the pool.
 *
 * waitid is different: it may take for ever. So where the reactor does not do
 * it a descriptor that tells of the end is watched, a pidfd of our own. The op
 * is a POLL meanwhile (USER_WATCH), and waitid(2) has the last word.
 */

#include "call.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "fail.h"
#include "future.h"
#include "io.h"
#include "lock.h"
#include "opcode.h"
#include "runtime.h"
#include "seat.h"
#include "waiter.h"

enum call_state {
    CALL_NEW,
    CALL_JOB,
    CALL_INFLIGHT,
    CALL_RECALLED,
    CALL_ENDED_RECALLED,
    CALL_LISTED,
    CALL_AGAIN,
    CALL_ENDED,
};

static struct poni_call *
call_of(struct pons_future *f)
{
    return (struct poni_call *)(void *)f; // base is the first member
}

static struct poni_call *
call_of_op(struct pons_op *op)
{
    return pons_container_of(op, struct poni_call, call.op);
}

/* Stores with release: pairs with the acquire in call_poll(). */
static void
call_set(struct pons_op *op, enum call_state state)
{
    poni_store_release(&op->state, (uint8_t)state);
}

/* --- the end --- */

/* Under the lock. Whom it wakes is moved to `woken`. */
static void
call_end(struct poni_call *c, int64_t result, struct pons_waker *woken)
{
    *woken = c->call.waker;
    c->call.waker = (struct pons_waker){NULL, NULL};
    c->base.result = result;
    call_set(&c->call.op, CALL_ENDED);
}

/* Inside its own poll, when nobody else has it. */
static enum pons_poll
call_end_here(struct poni_call *c, int64_t result)
{
    pons_waker_drop(&c->call.waker);
    c->base.result = result;
    call_set(&c->call.op, CALL_ENDED);
    return PONS_READY;
}

/* Who ended it may still be giving the lock back: it goes after that only. */
static enum pons_poll
call_ended(struct poni_call *c)
{
    poni_lock(&c->call.lock);
    poni_unlock(&c->call.lock);
    return PONS_READY;
}

/* --- on the pool --- */

static int64_t
call_run(void *op)
{
    return poni_op_call(op);
}

/* What must be made is made by whoever finds that the pool has not. */
static void
call_done(struct pons_job *job)
{
    struct poni_call *c = pons_container_of(job, struct poni_call, call.job);
    struct pons_waker woken;
    int64_t result = job->result;

    if ((c->call.op.flags & CALL_MASKED) && !poni_job_ran(job))
        result = poni_op_call(&c->call.op);
    poni_lock(&c->call.lock);
    call_end(c, result, &woken);
    poni_unlock(&c->call.lock);
    pons_waker_wake(&woken);
}

static enum pons_poll
call_start_on_pool(struct poni_call *c, struct pons_runtime *rt,
                   struct pons_waker *w)
{
    struct pons_op *op = &c->call.op;
    int err;

    c->call.job = (struct pons_job){.fn = call_run,
                                    .arg = op,
                                    .done = call_done,
                                    .name = poni_opcode_name(op->opcode)};
    c->call.place = rt->pool;
    pons_waker_set(&c->call.waker, w);
    call_set(op, CALL_JOB);
    err = poni_pool_submit(rt->pool, &c->call.job, poni_self.seat == NULL);
    if (err < 0)
        return call_end_here(c,
                             op->flags & CALL_MASKED ? poni_op_call(op) : err);
    return poni_load_acquire(&op->state) == CALL_ENDED ? call_ended(c)
                                                       : PONS_PENDING;
}

/* --- on a seat --- */

/* PONS_SUBMIT_..., with the figures kept. The owner of the seat, to one of its
 * engines. */
static int
call_submit(struct poni_seat *seat, struct poni_call *c, struct pons_reactor *r)
{
    struct pons_op *op = &c->call.op;
    int answer;

    op->reactor = r;
    c->call.place = seat;
    answer = r->ops->submit(r, op);
    if (r == seat->files.reactor)
        seat->files.due = 1;
    if (answer != PONS_SUBMIT_UNSUPPORTED)
        poni_count(&seat->ops);
    if (answer == PONS_SUBMIT_DONE)
        poni_count(&seat->ops_inline);
    return answer;
}

/* Where an op in flight is counted. */
static uint64_t *
call_counter(struct poni_seat *seat, const struct pons_op *op)
{
    return op->reactor == seat->reactor ? &seat->inflight
                                        : &seat->files.inflight;
}

/* The owner of the seat that has it in flight. */
static void
call_ask_cancel(struct poni_seat *seat, struct pons_op *op)
{
    op->reactor->ops->cancel(op->reactor, op);
    if (op->reactor == seat->files.reactor)
        seat->files.due = 1;
}

static enum pons_poll
call_in_flight(struct poni_seat *seat, struct poni_call *c,
               struct pons_waker *w)
{
    *call_counter(seat, &c->call.op) += 1;
    poni_lock(&c->call.lock);
    pons_waker_set(&c->call.waker, w);
    call_set(&c->call.op, CALL_INFLIGHT);
    poni_unlock(&c->call.lock);
    return PONS_PENDING;
}

/* --- waitid: a descriptor is watched --- */

static void
watch_begin(struct pons_op *op, int fd)
{
    op->offset = (uint32_t)op->fd;
    op->core[1] = op->len;
    op->fd = fd;
    op->len = POLLIN;
    op->opcode = PONS_OP_POLL;
    poni_op_belongs(op, USER_WATCH);
}

/* `r` has watched; NULL: nobody has registered it. */
static void
watch_end(struct pons_op *op, struct pons_reactor *r)
{
    if (r != NULL && r->ops->forget != NULL)
        (void)r->ops->forget(r, op->fd);
    close(op->fd);
    op->fd = (int)op->offset;
    op->len = (uint32_t)op->core[1];
    op->opcode = PONS_OP_WAITID;
    poni_op_belongs(op, USER_CALL);
}

static enum pons_poll
watch_on_seat(struct poni_seat *seat, struct poni_call *c, struct pons_waker *w)
{
    struct pons_op *op = &c->call.op;
    int fd;

    if (poni_waitid_look(op))
        return call_end_here(c, op->res);
    fd = poni_waitid_open(op);
    if (fd < 0)
        return call_start_on_pool(c, seat->runtime, w);
    watch_begin(op, fd);
    if (call_submit(seat, c, seat->reactor) == PONS_SUBMIT_PENDING)
        return call_in_flight(seat, c, w);
    watch_end(op, seat->reactor); // it ended just now, or cannot be watched
    if (poni_waitid_look(op))
        return call_end_here(c, op->res);
    return call_start_on_pool(c, seat->runtime, w);
}

static enum pons_poll
watch_on_thread(struct poni_self *self, struct poni_call *c)
{
    struct pons_op *op = &c->call.op;
    int fd;

    if (poni_waitid_look(op))
        return call_end_here(c, op->res);
    fd = self->context != NULL && self->context->wait != NULL
             ? poni_waitid_open(op)
             : -1;
    if (fd < 0)
        return call_end_here(c, poni_op_call(op));
    watch_begin(op, fd);
    c->call.place = self->context->wait;
    poni_wait_list(self->context->wait, op, POLLIN);
    call_set(op, CALL_LISTED);
    return PONS_PENDING;
}

static void
watch_unlist(struct poni_call *c)
{
    poni_wait_unlist(c->call.place, &c->call.op);
    watch_end(&c->call.op, NULL);
}

static enum pons_poll
watch_look_again(struct poni_call *c)
{
    struct pons_op *op = &c->call.op;

    if (op->res == 0)
        return PONS_PENDING;
    watch_unlist(c);
    return call_end_here(c, poni_waitid_look(op) ? op->res : poni_op_call(op));
}

/* --- the future --- */

/* Which engine does it; NULL: the core, or the pool. */
static struct pons_reactor *
call_engine(const struct poni_seat *seat, const struct pons_op *op)
{
    struct pons_reactor *files = poni_files_engine(seat, op);

    if (files != NULL)
        return files;
    if (!poni_reactor_does(seat->reactor, op) ||
        (seat->runtime->files_on_pool && poni_op_way(op) == WAY_BLOCKS))
        return NULL;
    return seat->reactor;
}

static enum pons_poll
call_start_on_seat(struct poni_seat *seat, struct poni_call *c,
                   struct pons_waker *w)
{
    struct pons_op *op = &c->call.op;
    struct pons_reactor *r = call_engine(seat, op);
    int answer = PONS_SUBMIT_UNSUPPORTED;

    if (r != NULL)
        answer = call_submit(seat, c, r);
    if (answer == PONS_SUBMIT_DONE)
        return call_end_here(c, op->res);
    if (answer == PONS_SUBMIT_PENDING)
        return call_in_flight(seat, c, w);
    if (op->opcode == PONS_OP_WAITID)
        return watch_on_seat(seat, c, w);
    if (poni_op_way(op) == WAY_AT_ONCE)
        return call_end_here(c, poni_op_call(op));
    if (!seat->runtime->files_on_pool && poni_op_read_cached(op)) {
        poni_count(&seat->ops);
        poni_count(&seat->ops_inline);
        return call_end_here(c, op->res);
    }
    return call_start_on_pool(c, seat->runtime, w);
}

static enum pons_poll
call_start_on_thread(struct poni_self *self, struct poni_call *c,
                     struct pons_waker *w)
{
    struct pons_op *op = &c->call.op;
    struct pons_runtime *rt;

    if (op->opcode == PONS_OP_WAITID)
        return watch_on_thread(self, c);
    rt = poni_cancel_at(self) != PONS_NEVER ? pons_runtime_current() : NULL;
    if (rt != NULL && poni_op_way(op) == WAY_BLOCKS &&
        poni_runtime_check(rt) == 0)
        return call_start_on_pool(c, rt, w);
    return call_end_here(c, poni_op_call(op));
}

static enum pons_poll
call_begin(struct poni_call *c, struct pons_waker *w)
{
    struct poni_self *self = &poni_self;
    unsigned flags = c->call.op.flags;

    poni_unpolled_remove(&c->base);
    if (!poni_budget_take(self, w))
        return PONS_PENDING;
    if (!(flags & CALL_MASKED) && ((flags & IO_ASKED) || poni_cancel_due(self)))
        return call_end_here(c, -ECANCELED);
    if (self->seat != NULL)
        return call_start_on_seat(self->seat, c, w);
    return call_start_on_thread(self, c, w);
}

/* The watched descriptor said that it is over, and waitid(2) that it is not: a
 * debugger keeps it. Or the engine for files has given it back. */
static enum pons_poll
call_begin_again(struct poni_call *c, struct pons_waker *w)
{
    struct poni_seat *seat = c->call.place;

    if (c->call.op.flags & IO_ASKED)
        return call_end_here(c, -ECANCELED);
    return call_start_on_pool(c, seat->runtime, w);
}

/* It has been polled before, and woken by something. */
static enum pons_poll
call_continue(struct poni_call *c, struct pons_waker *w)
{
    enum call_state state;

    poni_lock(&c->call.lock);
    state = c->call.op.state;
    if (state != CALL_ENDED && state != CALL_AGAIN)
        pons_waker_set(&c->call.waker, w);
    poni_unlock(&c->call.lock);
    switch (state) {
    case CALL_LISTED:
        return watch_look_again(c);
    case CALL_AGAIN:
        return call_begin_again(c, w);
    case CALL_ENDED:
        return PONS_READY;
    default:
        return PONS_PENDING;
    }
}

static enum pons_poll
call_poll(struct pons_future *f, struct pons_waker *w)
{
    struct poni_call *c = call_of(f);

    switch (poni_load_acquire(&c->call.op.state)) {
    case CALL_NEW:
        return call_begin(c, w);
    case CALL_ENDED:
        return call_ended(c);
    default:
        return call_continue(c, w);
    }
}

/* --- cancel --- */

/* A seat that has drained will not look: what ended there is ended here. */
static void
call_post_recall(struct poni_call *c, struct poni_seat *seat)
{
    struct pons_waker woken = {NULL, NULL};

    if (!poni_seat_post_recall(seat, &c->call.op)) {
        poni_lock(&c->call.lock);
        if (c->call.op.state == CALL_ENDED_RECALLED)
            call_end(c, c->base.result, &woken);
        poni_unlock(&c->call.lock);
        pons_waker_wake(&woken);
    }
    poni_runtime_release(seat->runtime);
}

/* Asks its reactor, or by the inbox the seat that has it. */
static void
call_recall(struct poni_call *c)
{
    struct poni_seat *seat = c->call.place, *post_to = NULL;
    struct pons_op *op = &c->call.op;

    poni_lock(&c->call.lock);
    op->flags |= IO_ASKED;
    if (op->state == CALL_INFLIGHT && seat == poni_self_now()->seat) {
        call_ask_cancel(seat, op);
    } else if (op->state == CALL_INFLIGHT) {
        call_set(op, CALL_RECALLED);
        poni_runtime_hold(seat->runtime); // the op may end at once
        post_to = seat;
    }
    poni_unlock(&c->call.lock);
    if (post_to != NULL)
        call_post_recall(c, post_to);
}

static void
call_cancel(struct pons_future *f)
{
    struct poni_call *c = call_of(f);

    if (c->call.op.flags & CALL_MASKED)
        return;
    switch (poni_load_acquire(&c->call.op.state)) {
    case CALL_NEW: // its first poll had no budget left
        c->call.op.flags |= IO_ASKED;
        break;
    case CALL_JOB:
        (void)poni_pool_cancel(c->call.place, &c->call.job);
        break;
    case CALL_LISTED:
        watch_unlist(c);
        (void)call_end_here(c, -ECANCELED);
        break;
    case CALL_ENDED:
        break;
    default:
        call_recall(c);
        break;
    }
}

/* Whether the engine beside the reactor of its seat has it. */
static int
call_is_beside(const struct poni_call *c)
{
    enum call_state state = poni_load_relaxed(&c->call.op.state);
    const struct poni_seat *seat = c->call.place;

    return (state == CALL_INFLIGHT || state == CALL_RECALLED) &&
           c->call.op.reactor == seat->files.reactor;
}

static void
call_describe(const struct pons_future *f, char *text, size_t size)
{
    const struct poni_call *c = (const struct poni_call *)(const void *)f;
    const char *name = poni_opcode_name(c->call.opcode);

    if (poni_load_relaxed(&c->call.op.state) == CALL_JOB)
        (void)snprintf(text, size, "%s, on the pool", name);
    else if (call_is_beside(c))
        (void)snprintf(text, size, "%s, by %s", name,
                       c->call.op.reactor->ops->name);
    else
        (void)snprintf(text, size, "%s", name);
}

const struct pons_future_ops poni_call_ops = {
    .size = sizeof poni_call_ops,
    .name = "operation",
    .poll = call_poll,
    .cancel = call_cancel,
    .describe = call_describe,
};

struct pons_op *
poni_call_init(struct pons_future *f, enum pons_opcode opcode, int fd,
               enum poni_call_flags flags)
{
    struct poni_call *c = call_of(f);
    struct pons_op *op = &c->call.op;

    poni_future_init(f, &poni_call_ops);
    poni_op_clear(op);
    op->opcode = (uint8_t)opcode;
    op->flags = (uint16_t)flags;
    poni_op_belongs(op, USER_CALL);
    op->fd = fd;
    c->call.waker = (struct pons_waker){NULL, NULL};
    c->call.place = NULL;
    c->call.lock = LOCK_FREE;
    c->call.opcode = opcode;
    c->call.reserved[0] = c->call.reserved[1] = 0;
    return op;
}

int64_t
poni_call_await(struct pons_future *f, const char *name)
{
    char call[32], instead[32];

    if (!poni_self.polling)
        return poni_await_as(f, name);
    poni_unpolled_remove(f);
    (void)snprintf(call, sizeof call, "pons_%s()", name);
    (void)snprintf(instead, sizeof instead, "struct pons_%s", name);
    return poni_refuse_poll(call, instead);
}

/* --- the owner of a seat --- */

/* What came of watching: `res` is the event's. 0: there must be more. */
static int
call_watched(struct poni_seat *seat, struct pons_op *op, int32_t *res)
{
    watch_end(op, seat->reactor);
    if (*res != -ECANCELED && !poni_waitid_look(op))
        return 0;
    if (*res != -ECANCELED)
        *res = op->res;
    return 1;
}

/* Under the lock: nobody has asked for that, so the engine beside the reactor
 * has given up, and has not begun it. */
static int
call_is_given_back(const struct poni_seat *seat, const struct pons_op *op,
                   int32_t res)
{
    return res == -ECANCELED && !(op->flags & IO_ASKED) &&
           op->reactor == seat->files.reactor;
}

void
poni_call_event(struct poni_seat *seat, struct pons_op *op, int32_t res)
{
    struct poni_call *c = call_of_op(op);
    struct pons_waker woken = {NULL, NULL};
    int over = 1;

    *call_counter(seat, op) -= 1;
    if (poni_op_user(op) == USER_WATCH)
        over = call_watched(seat, op, &res);
    poni_lock(&c->call.lock);
    over = over && !call_is_given_back(seat, op, res);
    if (op->state == CALL_RECALLED) {
        c->base.result = over ? res : -ECANCELED;
        call_set(op, CALL_ENDED_RECALLED);
    } else if (over) {
        call_end(c, res, &woken);
    } else {
        call_set(op, CALL_AGAIN);
        woken = c->call.waker;
        c->call.waker = (struct pons_waker){NULL, NULL};
    }
    poni_unlock(&c->call.lock);
    pons_waker_wake(&woken);
}

void
poni_call_posted(struct poni_seat *seat, struct pons_op *op)
{
    struct poni_call *c = call_of_op(op);
    struct pons_waker woken = {NULL, NULL};

    poni_lock(&c->call.lock);
    if (op->state == CALL_RECALLED) {
        call_set(op, CALL_INFLIGHT);
        call_ask_cancel(seat, op);
    } else {
        call_end(c, c->base.result, &woken);
    }
    poni_unlock(&c->call.lock);
    pons_waker_wake(&woken);
}
