/* SPDX-License-Identifier: MIT */
/*
 * core/io.c - see core/io.h for the states.
 *
 * A first poll takes the direction's turn, or queues. With the turn, on a seat,
 * the op goes to the seat's reactor, unless the descriptor has its home on
 * another: then the call is tried here, and only what would block is posted
 * there. On an ordinary thread the call is tried, and what would block is
 * listed in the enclosing wait.
 *
 * Whoever ends an op passes the turn on by waking the next in the queue, which
 * starts itself: it knows best where it is.
 */

#include "io.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>

#include "adapter.h"
#include "call.h"
#include "fail.h"
#include "fork.h"
#include "future.h"
#include "instead.h"
#include "lock.h"
#include "multishot.h"
#include "opcode.h"
#include "runtime.h"
#include "seat.h"
#include "send_zc.h"
#include "stream.h"
#include "waiter.h"
#include "waker.h"

static struct poni_leaf *
leaf_of(struct pons_future *f)
{
    return (struct poni_leaf *)(void *)f; // base is the first member
}

static struct poni_leaf *
leaf_of_op(struct pons_op *op)
{
    return pons_container_of(op, struct poni_leaf, io.op);
}

/* Not by a flag: those may be set meanwhile, under the lock. */
static int
io_is_multi(const struct pons_op *op)
{
    return poni_op_user(op) == USER_MULTI;
}

static struct stream_way *
way_of(struct pons_stream *s, const struct pons_op *op)
{
    return &s->way[(op->flags & IO_WRITES) != 0];
}

/* Stores with release: pairs with the acquire at the head of poni_io_poll(). */
static void
io_set(struct pons_op *op, enum io_state state)
{
    poni_store_release(&op->state, (uint8_t)state);
}

/* --- the stream's lists, under its lock --- */

static void
way_append(struct stream_way *way, struct pons_op *op)
{
    struct pons_op **at = &way->queue;

    while (*at != NULL)
        at = &(*at)->next;
    op->next = NULL;
    *at = op;
}

static void
way_remove(struct stream_way *way, struct pons_op *op)
{
    struct pons_op **at = &way->queue;

    while (*at != op)
        at = &(*at)->next;
    *at = op->next;
}

static void
polls_push(struct pons_stream *s, struct pons_op *op)
{
    op->core[1] = (uintptr_t)s->polls;
    s->polls = op;
}

static void
polls_remove(struct pons_stream *s, struct pons_op *op)
{
    struct pons_op *p = s->polls;

    if (p == op) {
        s->polls = (struct pons_op *)(uintptr_t)op->core[1];
        return;
    }
    while ((struct pons_op *)(uintptr_t)p->core[1] != op)
        p = (struct pons_op *)(uintptr_t)p->core[1];
    p->core[1] = op->core[1];
}

static int
stream_quiet(const struct pons_stream *s)
{
    return s->way[0].current == NULL && s->way[1].current == NULL &&
           s->polls == NULL;
}

/* --- the end --- */

/* Whom the end of an op wakes, once the lock has been given back. */
struct ended {
    struct pons_waker own, next, closer;
};

/* `next` is the first of the queue. */
__attribute__((noinline)) static struct pons_waker
way_pass_to(struct stream_way *way, struct pons_op *next)
{
    way->queue = next->next;
    io_set(next, IO_TURN);
    return poni_waker_take(&leaf_of_op(next)->io.waker);
}

static inline void
way_pass(struct stream_way *way, struct ended *ended)
{
    struct pons_op *next = way->queue;

    way->current = next;
    way->idle = 0;
    if (next != NULL)
        ended->next = way_pass_to(way, next);
}

/* Under the lock: an op that had the turn ends. A multishot keeps it for its
 * next operation, but not in the way of a close. */
static inline void
way_leave(struct pons_stream *s, struct pons_op *op, int64_t res,
          struct ended *ended)
{
    struct stream_way *way = way_of(s, op);

    if (!poni_io_keeps_turn(op, res) ||
        (io_is_multi(op) && s->phase == STREAM_CLOSING))
        way_pass(way, ended);
    else
        way->idle = io_is_multi(op);
}

/* Under the lock. After it the op's memory is its poller's. Inlined where
 * nearly every op ends. */
static inline __attribute__((always_inline)) void
io_end_inline(struct pons_stream *s, struct pons_op *op, int64_t res,
              struct ended *ended)
{
    struct poni_leaf *leaf = leaf_of_op(op);

    *ended = (struct ended){{NULL, NULL}, {NULL, NULL}, {NULL, NULL}};
    if (op->state == IO_QUEUED) {
        way_remove(way_of(s, op), op);
    } else if (op->flags & IO_POLLS) {
        polls_remove(s, op);
    } else {
        way_leave(s, op, res, ended);
    }
    if (s->phase == STREAM_CLOSING && stream_quiet(s))
        ended->closer = poni_waker_take(&s->closer);
    ended->own = poni_waker_take(&leaf->io.waker);
    leaf->base.result = res;
    io_set(op, IO_ENDED);
}

__attribute__((noinline)) static void
io_end(struct pons_stream *s, struct pons_op *op, int64_t res,
       struct ended *ended)
{
    io_end_inline(s, op, res, ended);
}

static inline void
ended_wake(const struct ended *e)
{
    poni_waker_spend(e->own);
    poni_waker_spend(e->next);
    poni_waker_spend(e->closer);
}

/* Its own poller is here: it need not be told. */
static inline void
ended_wake_others(const struct ended *e)
{
    poni_waker_waste(e->own);
    poni_waker_spend(e->next);
    poni_waker_spend(e->closer);
}

void
poni_io_let_go(struct poni_leaf *leaf)
{
    struct pons_stream *s = leaf->io.stream;
    struct stream_way *way = way_of(s, &leaf->io.op);
    struct ended ended = {{NULL, NULL}, {NULL, NULL}, {NULL, NULL}};

    poni_lock(&s->lock);
    if (way->current == &leaf->io.op) {
        way_pass(way, &ended);
        if (s->phase == STREAM_CLOSING && stream_quiet(s))
            ended.closer = poni_waker_take(&s->closer);
    }
    poni_unlock(&s->lock);
    ended_wake(&ended);
}

void
poni_io_pass(struct poni_leaf *leaf)
{
    struct pons_stream *s = leaf->io.stream;
    struct pons_op *op = &leaf->io.op;
    struct ended ended = {{NULL, NULL}, {NULL, NULL}, {NULL, NULL}};

    poni_lock(&s->lock);
    way_pass(way_of(s, op), &ended);
    op->flags |= IO_POLLS;
    polls_push(s, op);
    poni_unlock(&s->lock);
    ended_wake(&ended);
}

/* Under the lock. From here to its end the op keeps the stream's struct. */
static void
io_count(struct pons_stream *s, struct pons_op *op)
{
    s->begun++;
    op->flags |= IO_COUNTED;
}

/* Under the lock: it is over, and its poller knows. */
static void
io_uncount(struct pons_stream *s, struct pons_op *op)
{
    s->begun--;
    op->flags &= (uint16_t)~IO_COUNTED;
}

/* Another has ended it, and its poller has come to hear of it. */
static enum pons_poll
io_heard(struct poni_leaf *leaf)
{
    struct pons_op *op = &leaf->io.op;

    if (op->flags & IO_COUNTED) {
        op->flags &= (uint16_t)~IO_COUNTED;
        poni_stream_unref(leaf->io.stream);
    }
    return PONS_READY;
}

/* It ended inside its own poll: nobody has to be told of that. */
static enum pons_poll
io_end_here(struct poni_leaf *leaf, int64_t res)
{
    struct pons_stream *s = leaf->io.stream;
    struct ended ended;

    poni_lock(&s->lock);
    io_uncount(s, &leaf->io.op);
    io_end_inline(s, &leaf->io.op, res, &ended);
    poni_unlock(&s->lock);
    ended_wake_others(&ended);
    return PONS_READY;
}

/* --- on a seat --- */

static int
io_is_unwanted(const struct pons_stream *s, const struct pons_op *op)
{
    return s->phase == STREAM_CLOSING || (op->flags & IO_ASKED);
}

/* The reactor has it. Under no lock; `w` NULL: the waker is in place. */
static void
io_in_flight(struct poni_seat *seat, struct poni_leaf *leaf,
             const struct pons_waker *w)
{
    struct pons_stream *s = leaf->io.stream;
    struct pons_op *op = &leaf->io.op;
    struct poni_seat *before = NULL;

    seat->inflight++;
    poni_lock(&s->lock);
    io_set(op, IO_INFLIGHT);
    if (w != NULL)
        poni_waker_set(&leaf->io.waker, w);
    if (s->home != seat && (seat->reactor->caps & PONS_REACTOR_REGISTERS) &&
        poni_stream_home(s) == NULL) {
        poni_runtime_hold(seat->runtime);
        before = s->home;
        s->home = seat;
    }
    if (io_is_unwanted(s, op))
        seat->reactor->ops->cancel(seat->reactor, op);
    poni_unlock(&s->lock);
    if (before != NULL)
        poni_runtime_release(before->runtime); // which may free it
}

/* 0: it cannot be made, op->res says why. `seat` may be NULL: a thread. */
static int
io_prepared(struct poni_seat *seat, struct pons_op *op)
{
    int err = poni_multi_prepare(seat, op);

    if (err < 0)
        op->res = err;
    return err == 0;
}

/* What the reactor does not know. As its submit(). */
__attribute__((noinline)) static int
io_submit_otherwise(struct pons_reactor *r, struct pons_op *op)
{
    if (op->opcode != PONS_OP_SEND_ZC)
        return poni_instead_submit(r, op);
    poni_send_zc_plainly(op);
    return r->ops->submit(r, op);
}

/* PONS_SUBMIT_..., with the figures kept. The owner of the seat. */
static inline int
io_submit(struct poni_seat *seat, struct poni_leaf *leaf)
{
    struct pons_op *op = &leaf->io.op;
    int answer;

    op->reactor = seat->reactor;
    leaf->io.place = seat;
    poni_count(&seat->ops);
    if (io_is_multi(op) && !io_prepared(seat, op))
        return PONS_SUBMIT_DONE;
    if (poni_reactor_has(seat->reactor, op->opcode))
        answer = seat->reactor->ops->submit(seat->reactor, op);
    else
        answer = io_submit_otherwise(seat->reactor, op);
    if (answer == PONS_SUBMIT_UNSUPPORTED)
        op->res = -EOPNOTSUPP; // R2: no reactor may say that of a stream's op
    if (answer != PONS_SUBMIT_PENDING)
        poni_count(&seat->ops_inline);
    else if (io_is_multi(op))
        poni_multi_enter(seat, op);
    return answer;
}

static inline enum pons_poll
io_start_here(struct poni_seat *seat, struct poni_leaf *leaf,
              struct pons_waker *w)
{
    if (io_submit(seat, leaf) != PONS_SUBMIT_PENDING)
        return io_end_here(leaf, leaf->io.op.res);
    io_in_flight(seat, leaf, w);
    return PONS_PENDING;
}

__attribute__((noinline)) static enum pons_poll
io_start_at_home(struct poni_seat *seat, struct poni_seat *home,
                 struct poni_leaf *leaf, struct pons_waker *w)
{
    struct pons_stream *s = leaf->io.stream;
    struct pons_op *op = &leaf->io.op;
    int posted;

    if (!io_is_multi(op) && poni_op_try(op)) {
        poni_count(&seat->ops);
        poni_count(&seat->ops_inline);
        poni_runtime_release(home->runtime);
        return io_end_here(leaf, op->res);
    }
    poni_lock(&s->lock);
    poni_waker_set(&leaf->io.waker, w);
    leaf->io.place = home;
    io_set(op, IO_POSTED); // the home looks for ASKED and CLOSING
    poni_unlock(&s->lock);
    posted = poni_seat_post_op(home, op);
    poni_runtime_release(home->runtime);
    if (posted)
        return PONS_PENDING;
    poni_lock(&s->lock); // the home has just stopped: this seat serves
    io_set(op, IO_STARTING);
    poni_unlock(&s->lock);
    return io_start_here(seat, leaf, w);
}

/* --- on an ordinary thread --- */

__attribute__((noinline)) static enum pons_poll
io_start_on_thread(struct poni_self *self, struct poni_leaf *leaf,
                   struct pons_waker *w)
{
    struct pons_stream *s = leaf->io.stream;
    struct pons_op *op = &leaf->io.op;
    int unwanted;

    if (io_is_multi(op) && !io_prepared(NULL, op))
        return io_end_here(leaf, op->res);
    if (!leaf->io.reserved && poni_op_try(op))
        return io_end_here(leaf, op->res);
    leaf->io.reserved = 0;
    if (self->context == NULL || self->context->wait == NULL)
        return io_end_here(
            leaf, poni_fail(-EINVAL, "an operation was polled outside a task "
                                     "and outside pons_await()"));
    poni_lock(&s->lock);
    unwanted = io_is_unwanted(s, op);
    if (!unwanted) {
        leaf->io.place = self->context->wait;
        poni_wait_list(self->context->wait, op, poni_op_events(op));
        poni_waker_set(&leaf->io.waker, w); // so that a close reaches us
        io_set(op, IO_LISTED);
    }
    poni_unlock(&s->lock);
    return unwanted ? io_end_here(leaf, -ECANCELED) : PONS_PENDING;
}

static enum pons_poll
io_look_again(struct poni_leaf *leaf)
{
    struct pons_stream *s = leaf->io.stream;
    struct pons_op *op = &leaf->io.op;
    int unwanted, ready = op->res != 0;

    poni_lock(&s->lock);
    unwanted = io_is_unwanted(s, op);
    poni_unlock(&s->lock);
    if (unwanted)
        op->res = -ECANCELED;
    else if (!ready || !poni_op_try(op))
        return PONS_PENDING;
    poni_wait_unlist(leaf->io.place, op);
    return io_end_here(leaf, op->res);
}

/* --- the future --- */

/* With the turn. `home` was read under the lock. */
static inline __attribute__((always_inline)) enum pons_poll
io_start(struct poni_self *self, struct poni_leaf *leaf, struct poni_seat *home,
         struct pons_waker *w)
{
    struct poni_seat *seat = self->seat;

    if (seat == NULL)
        return io_start_on_thread(self, leaf, w);
    if (home != NULL)
        return io_start_at_home(seat, home, leaf, w); // and lets go of it
    return io_start_here(seat, leaf, w);
}

/* Under the lock: the seat that is not ours where an op would wait; held, for
 * it is used without the lock. */
static struct poni_seat *
io_home(const struct poni_self *self, struct pons_stream *s)
{
    struct poni_seat *home = s->home;

    if (home == NULL || home == self->seat || self->seat == NULL)
        return NULL; // nearly always
    home = poni_stream_home(s);
    if (home != NULL)
        poni_runtime_hold(home->runtime);
    return home;
}

/*
 * Under the lock: what an op that may start finds in front of the descriptor's
 * own bytes. 1: that is its result.
 */
__attribute__((noinline)) static int
io_take_ahead(struct pons_stream *s, struct pons_op *op)
{
    if (s->ahead_is_fds && op->opcode != PONS_OP_ACCEPT &&
        op->opcode != PONS_OP_POLL)
        return 0;
    switch (op->opcode) {
    case PONS_OP_RECV:
    case PONS_OP_READ:
        if (io_is_multi(op) && !io_prepared(NULL, op))
            return 1;
        op->res = (int32_t)poni_stream_take_ahead(s, op->addr, op->len);
        return op->res > 0;
    case PONS_OP_RECVMSG:
        return poni_stream_take_message(s, op);
    case PONS_OP_ACCEPT:
        return poni_stream_take_ahead(s, &op->res, sizeof op->res) > 0;
    case PONS_OP_POLL:
        if (!(op->len & POLLIN))
            return 0;
        op->res = POLLIN | (poni_op_try(op) ? op->res : 0);
        return 1;
    default:
        return 0;
    }
}

static inline int
io_look_ahead(struct pons_stream *s, struct pons_op *op)
{
    return s->ahead_at != s->ahead_end && io_take_ahead(s, op);
}

/* Under the lock: takes the turn, or queues, or is turned away. */
static enum io_state
io_enter(struct pons_stream *s, struct poni_leaf *leaf, struct pons_waker *w)
{
    struct pons_op *op = &leaf->io.op;
    struct stream_way *way = way_of(s, op);

    if (io_is_unwanted(s, op))
        return IO_ENDED;
    io_count(s, op);
    if (op->flags & IO_POLLS) {
        polls_push(s, op);
        return IO_STARTING;
    }
    if (way->current == NULL || way->current == op) {
        way->current = op;
        way->idle = 0;
        return IO_STARTING;
    }
    way_append(way, op);
    poni_waker_set(&leaf->io.waker, w);
    return IO_QUEUED;
}

/* It ends before it is anywhere. */
static enum pons_poll
io_never(struct poni_leaf *leaf, int err)
{
    io_set(&leaf->io.op, IO_ENDED);
    return poni_ready(&leaf->base, err);
}

static inline enum pons_poll
io_begin(struct poni_leaf *leaf, struct pons_waker *w)
{
    struct poni_self *self = &poni_self;
    struct pons_stream *s = leaf->io.stream;
    struct poni_seat *home;
    enum io_state state;
    int ahead;

    poni_unpolled_remove(&leaf->base);
    if (!poni_epoch_is(s->epoch))
        return io_never(leaf, poni_stream_check(s));
    if (!poni_budget_take(self, w))
        return PONS_PENDING;
    if (poni_cancel_due(self))
        return io_never(leaf, -ECANCELED);
    poni_lock(&s->lock);
    state = io_enter(s, leaf, w);
    io_set(&leaf->io.op, state);
    ahead = state == IO_STARTING && io_look_ahead(s, &leaf->io.op);
    home = state == IO_STARTING && !ahead ? io_home(self, s) : NULL;
    poni_unlock(&s->lock);
    if (ahead)
        return io_end_here(leaf, leaf->io.op.res);
    if (state == IO_STARTING)
        return io_start(self, leaf, home, w);
    return state == IO_QUEUED ? PONS_PENDING
                              : poni_ready(&leaf->base, -ECANCELED);
}

/* It has been polled before, and woken by something. */
__attribute__((noinline)) static enum pons_poll
io_continue(struct poni_leaf *leaf, struct pons_waker *w)
{
    struct pons_stream *s = leaf->io.stream;
    struct pons_op *op = &leaf->io.op;
    struct poni_seat *home = NULL;
    enum io_state state;
    int ahead = 0;

    poni_lock(&s->lock);
    state = op->state;
    if (state == IO_TURN) {
        io_set(op, IO_STARTING);
        ahead = io_look_ahead(s, op);
        home = ahead ? NULL : io_home(&poni_self, s);
    } else if (state != IO_ENDED) {
        poni_waker_set(&leaf->io.waker, w);
    }
    poni_unlock(&s->lock);
    switch (state) {
    case IO_TURN:
        if (ahead)
            return io_end_here(leaf, op->res);
        return io_start(&poni_self, leaf, home, w);
    case IO_LISTED:
        return io_look_again(leaf);
    case IO_ENDED:
        return io_heard(leaf);
    default:
        return PONS_PENDING;
    }
}

enum pons_poll
poni_io_poll(struct pons_future *f, struct pons_waker *w)
{
    struct poni_leaf *leaf = leaf_of(f);

    switch (poni_load_acquire(&leaf->io.op.state)) {
    case IO_NEW:
        return io_begin(leaf, w);
    case IO_ENDED:
        return io_heard(leaf);
    default:
        return io_continue(leaf, w);
    }
}

/*
 * Under the lock: asks an op that somebody has to end. 1: it must be posted to
 * its seat, once the lock is free; until then the seat's runtime is held.
 */
static int
io_recall(struct pons_op *op)
{
    struct poni_seat *seat = leaf_of_op(op)->io.place;

    if (seat == poni_self_now()->seat) {
        seat->reactor->ops->cancel(seat->reactor, op);
        return 0;
    }
    io_set(op, IO_RECALLED);
    poni_runtime_hold(seat->runtime);
    return 1;
}

/* A seat that has drained will not look: what ended there is ended here. */
static void
io_post_recall(struct pons_stream *s, struct pons_op *op,
               struct poni_seat *seat)
{
    struct ended ended = {{NULL, NULL}, {NULL, NULL}, {NULL, NULL}};

    if (!poni_seat_post_recall(seat, op)) {
        poni_lock(&s->lock);
        if (op->state == IO_ENDED_RECALLED)
            io_end(s, op, leaf_of_op(op)->base.result, &ended);
        poni_unlock(&s->lock);
        ended_wake(&ended);
    }
    poni_runtime_release(seat->runtime);
}

void
poni_io_cancel(struct pons_future *f)
{
    struct poni_leaf *leaf = leaf_of(f);
    struct pons_stream *s = leaf->io.stream;
    struct pons_op *op = &leaf->io.op;
    struct ended ended = {{NULL, NULL}, {NULL, NULL}, {NULL, NULL}};
    struct poni_seat *post_to = NULL;

    if (poni_load_acquire(&op->state) == IO_ENDED)
        return;
    poni_lock(&s->lock);
    op->flags |= IO_ASKED;
    switch (op->state) {
    case IO_LISTED:
        poni_wait_unlist(leaf->io.place, op);
        io_end(s, op, -ECANCELED, &ended);
        break;
    case IO_QUEUED:
    case IO_TURN:
        io_end(s, op, -ECANCELED, &ended);
        break;
    case IO_INFLIGHT:
        if (io_recall(op))
            post_to = leaf->io.place;
        break;
    default: // NEW, STARTING, POSTED: ASKED is seen; the rest is ending
        break;
    }
    poni_unlock(&s->lock);
    if (post_to != NULL)
        io_post_recall(s, op, post_to);
    ended_wake_others(&ended);
}

/*
 * The closer's half: one step for one op of `s`. 1: call again, there is more.
 * Takes and gives back the lock.
 */
static int
stream_recall_one(struct pons_stream *s, struct pons_op *op)
{
    struct ended ended = {{NULL, NULL}, {NULL, NULL}, {NULL, NULL}};
    struct poni_seat *post_to = NULL;

    switch (op->state) {
    case IO_QUEUED:
    case IO_TURN:
        io_end(s, op, -ECANCELED, &ended);
        break;
    case IO_INFLIGHT:
        if (!(op->flags & IO_ASKED) && io_recall(op))
            post_to = leaf_of_op(op)->io.place;
        op->flags |= IO_ASKED;
        break;
    case IO_LISTED: // its thread sees CLOSING
        op->flags |= IO_ASKED;
        ended.own = poni_waker_take(&leaf_of_op(op)->io.waker);
        break;
    default: // POSTED: CLOSING is seen; the rest is ending
        op->flags |= IO_ASKED;
        break;
    }
    poni_unlock(&s->lock);
    if (post_to != NULL)
        io_post_recall(s, op, post_to);
    ended_wake(&ended);
    poni_lock(&s->lock);
    return 1;
}

/* It sees CLOSING by itself: when its next part begins, or when it has been
 * started. Who does that looks at op.flags without the lock. */
static int
io_sees_closing(const struct pons_op *op)
{
    switch (poni_load_acquire(&op->state)) {
    case IO_NEW:
    case IO_STARTING:
    case IO_ENDED:
        return 1;
    default:
        return 0;
    }
}

static struct pons_op *
stream_unasked(const struct pons_stream *s)
{
    struct pons_op *op;

    for (int i = 0; i < 2; i++) {
        if (s->way[i].queue != NULL)
            return s->way[i].queue;
        op = s->way[i].current;
        if (op != NULL && !io_sees_closing(op) && !(op->flags & IO_ASKED))
            return op;
    }
    for (op = s->polls; op != NULL;
         op = (struct pons_op *)(uintptr_t)op->core[1])
        if (!io_sees_closing(op) && !(op->flags & IO_ASKED))
            return op;
    return NULL;
}

int
poni_stream_recall(struct pons_stream *s, const struct pons_waker *closer)
{
    struct pons_op *op;
    int quiet;

    poni_lock(&s->lock);
    s->phase = STREAM_CLOSING;
    while ((op = stream_unasked(s)) != NULL)
        (void)stream_recall_one(s, op);
    for (int i = 0; i < 2; i++)
        if (s->way[i].idle) // nobody queues there any more
            s->way[i] = (struct stream_way){NULL, NULL, 0};
    quiet = stream_quiet(s);
    if (!quiet)
        poni_waker_set(&s->closer, closer);
    poni_unlock(&s->lock);
    return quiet;
}

/* --- the owner of a seat --- */

/* It waited by a POLL: now the call. 0: it waits again. */
static int
io_instead_ended(struct poni_seat *seat, struct pons_stream *s,
                 struct pons_op *op, int32_t *res)
{
    int unwanted;

    poni_lock(&s->lock);
    unwanted = io_is_unwanted(s, op) || op->state == IO_RECALLED;
    poni_unlock(&s->lock);
    poni_instead_end(op);
    if (*res >= 0 && unwanted)
        *res = -ECANCELED; // nothing was consumed
    if (*res < 0)
        return 1;
    if (poni_instead_again(seat->reactor, op) == PONS_SUBMIT_PENDING)
        return 0;
    *res = op->res;
    return 1;
}

static inline __attribute__((always_inline)) void
io_event_end(struct poni_seat *seat, struct pons_op *op, int32_t res)
{
    struct pons_stream *s = leaf_of_op(op)->io.stream;
    struct ended ended = {{NULL, NULL}, {NULL, NULL}, {NULL, NULL}};

    seat->inflight--;
    poni_lock(&s->lock);
    if (op->state == IO_RECALLED) {
        leaf_of_op(op)->base.result = res;
        io_set(op, IO_ENDED_RECALLED);
    } else {
        io_end_inline(s, op, res, &ended);
    }
    poni_unlock(&s->lock);
    ended_wake(&ended);
}

void
poni_io_end_event(struct poni_seat *seat, struct pons_op *op, int32_t res)
{
    io_event_end(seat, op, res);
}

/* It is not simply a stream's. */
__attribute__((noinline)) static void
io_event_other(struct poni_seat *seat, struct pons_op *op, int32_t res,
               uint32_t flags)
{
    if (poni_op_user(op) == USER_MULTI)
        poni_multi_event(seat, op, res, flags);
    else if (poni_op_user(op) == USER_SEND_ZC)
        poni_send_zc_event(seat, op, res, flags);
    else if (poni_op_user(op) == USER_FILES)
        poni_files_event(seat, flags);
    else if (poni_op_user(op) != USER_INSTEAD)
        poni_call_event(seat, op, res);
    else if (io_instead_ended(seat, leaf_of_op(op)->io.stream, op, &res))
        io_event_end(seat, op, res);
}

void
poni_io_event(struct poni_seat *seat, struct pons_op *op, int32_t res,
              uint32_t flags)
{
    if (poni_op_user(op) == USER_STREAM)
        io_event_end(seat, op, res);
    else
        io_event_other(seat, op, res, flags);
}

static void
io_submit_posted(struct poni_seat *seat, struct poni_leaf *leaf)
{
    struct pons_stream *s = leaf->io.stream;
    struct pons_op *op = &leaf->io.op;
    struct ended ended;

    if (io_submit(seat, leaf) == PONS_SUBMIT_PENDING) {
        io_in_flight(seat, leaf, NULL);
        return;
    }
    poni_lock(&s->lock);
    io_end(s, op, op->res, &ended);
    poni_unlock(&s->lock);
    ended_wake(&ended);
}

void
poni_io_posted(struct poni_seat *seat, struct pons_op *op)
{
    struct poni_leaf *leaf = leaf_of_op(op);
    struct ended ended = {{NULL, NULL}, {NULL, NULL}, {NULL, NULL}};
    struct pons_stream *s;
    int submit = 0;

    if (poni_op_user(op) >= USER_CALL) {
        poni_call_posted(seat, op);
        return;
    }
    if (op->state == IO_FORGET) {
        poni_stream_forget_posted(seat, op);
        return;
    }
    s = leaf->io.stream;
    poni_lock(&s->lock);
    switch (op->state) {
    case IO_POSTED:
        submit = !io_is_unwanted(s, op);
        if (submit)
            io_set(op, IO_STARTING);
        else
            io_end(s, op, -ECANCELED, &ended);
        break;
    case IO_RECALLED:
        io_set(op, IO_INFLIGHT);
        seat->reactor->ops->cancel(seat->reactor, op);
        break;
    case IO_ENDED_RECALLED:
        io_end(s, op, leaf->base.result, &ended);
        break;
    default:
        break;
    }
    poni_unlock(&s->lock);
    if (submit)
        io_submit_posted(seat, leaf);
    ended_wake(&ended);
}

/* --- all the futures of one operation --- */

static void
io_describe(const struct pons_future *f, char *text, size_t size)
{
    const struct poni_leaf *leaf = (const struct poni_leaf *)(const void *)f;

    (void)snprintf(text, size, "%s on descriptor %d%s",
                   poni_opcode_name(poni_load_relaxed(&leaf->io.op.opcode)),
                   leaf->io.op.fd,
                   poni_load_relaxed(&leaf->io.op.state) == IO_QUEUED
                       ? ", behind another"
                       : "");
}

const struct pons_future_ops poni_io_ops = {
    .size = sizeof poni_io_ops,
    .name = "operation",
    .poll = poni_io_poll,
    .cancel = poni_io_cancel,
    .describe = io_describe,
};

void
poni_io_init(struct poni_leaf *leaf, struct pons_stream *s,
             enum pons_opcode opcode, unsigned flags)
{
    struct pons_op *op = &leaf->io.op;

    poni_future_init(&leaf->base, &poni_io_ops);
    poni_op_clear(op);
    op->opcode = (uint8_t)opcode;
    op->flags = (uint16_t)flags;
    op->fd = s->fd;
    op->offset = PONS_AT_POSITION;
    leaf->io.stream = s;
    leaf->io.waker = (struct pons_waker){NULL, NULL};
    leaf->io.place = NULL;
    leaf->io.reserved = 0;
}
