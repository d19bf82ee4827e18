/* SPDX-License-Identifier: MIT */
/*
 * core/close.c - how a stream ends: what is in course is recalled, the home
 * forgets the descriptor, and it is closed or given back.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "fork.h"
#include "future.h"
#include "lock.h"
#include "runtime.h"
#include "seat.h"
#include "stream.h"

/*
 *    NEW ---> RECALLING ---> FORGETTING ---> CLOSED
 *             ops end        the home forgets the descriptor
 */
enum closing_state {
    CLOSING_NEW,
    CLOSING_RECALLING,
    CLOSING_FORGETTING,
    CLOSING_CLOSED
};

struct closing {
    struct pons_future base;
    struct pons_stream *stream;
    struct pons_io io; // the op is what is posted to the home
    int keep_fd;       // release: the descriptor goes back to the caller
};

static struct closing *
closing_of(struct pons_future *f)
{
    return (struct closing *)(void *)f; // base is the first member
}

/* What was given back has nobody to take it. */
static void
stream_drop_ahead(struct pons_stream *s)
{
    int fd;

    if (s->ahead_is_fds)
        while (poni_stream_take_ahead(s, &fd, sizeof fd) > 0)
            close(fd);
    free(s->ahead);
    s->ahead = NULL;
    s->ahead_at = s->ahead_end = 0;
}

static void
closing_end(struct closing *c)
{
    struct pons_stream *s = c->stream;

    if (s->home != NULL)
        poni_runtime_release(s->home->runtime);
    s->home = NULL;
    stream_drop_ahead(s);
    if (!c->keep_fd)
        close(s->fd);
    poni_stream_leave(s);
    c->stream = NULL;
    c->base.state = CLOSING_CLOSED;
}

void
poni_stream_forget_posted(struct poni_seat *seat, struct pons_op *op)
{
    struct closing *c = pons_container_of(op, struct closing, io.op);
    struct pons_stream *s = c->stream;
    struct pons_waker closer;

    if (seat->reactor->ops->forget != NULL)
        (void)seat->reactor->ops->forget(seat->reactor, s->fd);
    poni_lock(&s->lock);
    c->io.op.state = IO_ENDED;
    closer = s->closer;
    s->closer = (struct pons_waker){NULL, NULL};
    poni_unlock(&s->lock);
    pons_waker_wake(&closer);
}

/* Nothing is in course. READY: forgotten. */
static enum pons_poll
closing_forget(struct closing *c, struct pons_waker *w)
{
    struct pons_stream *s = c->stream;
    struct poni_seat *home;
    int posted;

    poni_lock(&s->lock);
    home = poni_stream_home(s);
    posted = home != NULL && home != poni_self.seat;
    if (posted) {
        pons_waker_set(&s->closer, w);
        c->io.op.state = IO_FORGET;
        c->base.state = CLOSING_FORGETTING;
        poni_runtime_hold(home->runtime); // `c` and `s` may go once posted
    }
    poni_unlock(&s->lock);
    if (posted) {
        int taken = poni_seat_post_op(home, &c->io.op);

        poni_runtime_release(home->runtime);
        if (taken)
            return PONS_PENDING;
    }
    if (posted)
        pons_waker_drop(&s->closer); // it stopped: its reactor is gone
    else if (home != NULL && home->reactor->ops->forget != NULL)
        (void)home->reactor->ops->forget(home->reactor, s->fd);
    return PONS_READY;
}

static int
closing_forgotten(struct closing *c, struct pons_waker *w)
{
    struct pons_stream *s = c->stream;
    int forgotten;

    poni_lock(&s->lock);
    forgotten = c->io.op.state == IO_ENDED;
    if (!forgotten)
        pons_waker_set(&s->closer, w);
    poni_unlock(&s->lock);
    return forgotten;
}

static enum pons_poll
closing_poll(struct pons_future *f, struct pons_waker *w)
{
    struct closing *c = closing_of(f);

    switch ((enum closing_state)f->state) {
    case CLOSING_NEW:
        poni_unpolled_remove(f);
        f->state = CLOSING_RECALLING;
        PONS_FALLTHROUGH;
    case CLOSING_RECALLING:
        if (!poni_stream_recall(c->stream, w) ||
            closing_forget(c, w) == PONS_PENDING)
            return PONS_PENDING;
        break;
    case CLOSING_FORGETTING:
        if (!closing_forgotten(c, w))
            return PONS_PENDING;
        break;
    case CLOSING_CLOSED:
        return PONS_READY;
    }
    closing_end(c);
    return poni_ready(f, 0);
}

/* Closing is masked: it always ends by itself. */
static void
closing_cancel(struct pons_future *f)
{
    (void)f;
}

static const struct pons_future_ops closing_ops = {
    .size = sizeof closing_ops,
    .name = "close",
    .poll = closing_poll,
    .cancel = closing_cancel,
};

static void
closing_init(struct closing *c, struct pons_stream *s, int keep_fd)
{
    memset(c, 0, sizeof *c);
    poni_future_init(&c->base, &closing_ops);
    c->stream = s;
    c->keep_fd = keep_fd;
}

/*
 * A closing that nobody waits for is its own waker: whoever ends what it waits
 * for takes its next step. It is woken once per step, and then in no slot.
 */
static void
closer_wake(void *data)
{
    struct closing *c = data;

    if (closing_poll(&c->base, &c->io.waker) == PONS_READY)
        free(c);
}

static void
closer_nothing(void *data)
{
    (void)data;
}

static const struct pons_waker_ops closer_waker_ops = {
    .size = sizeof closer_waker_ops,
    .clone = closer_nothing,
    .wake = closer_wake,
    .notify = closer_nothing,
    .release = closer_nothing,
};

/* Nothing is in course: whether it can be closed without another's help. */
static int
home_is_here(struct pons_stream *s)
{
    const struct poni_seat *home;

    poni_lock(&s->lock);
    home = poni_stream_home(s);
    poni_unlock(&s->lock);
    return home == NULL || home == poni_self.seat;
}

/*
 * Inside poll(): at once if nothing is in course and the home is here, which is
 * nearly always so; else it is left to those who end what is in course.
 */
static void
close_in_poll(struct pons_stream *s)
{
    struct closing on_stack, *c;
    struct pons_waker nobody = {NULL, NULL};

    closing_init(&on_stack, s, 0);
    poni_unpolled_remove(&on_stack.base);
    if (poni_stream_recall(s, &nobody) && home_is_here(s)) {
        (void)closing_poll(&on_stack.base, &nobody);
        return;
    }
    c = malloc(sizeof *c);
    if (c == NULL) {
        poni_log(
            PONS_LOG_ERROR, "stream",
            "no memory to close descriptor %d inside poll(): it stays open",
            s->fd);
        return;
    }
    closing_init(c, s, 0);
    c->io.waker = (struct pons_waker){&closer_waker_ops, c};
    closer_wake(c);
}

/* In a forked child: nobody here is at it, and its home is the parent's. */
static int
stream_leave(struct pons_stream *s)
{
    int fd = s->fd;

    stream_drop_ahead(s);
    s->lock = LOCK_FREE; // who held it is not here
    poni_stream_leave(s);
    return fd;
}

void
pons_stream_close(struct pons_stream *s)
{
    struct closing c;

    if (s == NULL)
        return;
    if (!poni_epoch_is(s->epoch)) {
        close(stream_leave(s));
        return;
    }
    if (poni_self.polling) {
        close_in_poll(s);
        return;
    }
    closing_init(&c, s, 0);
    (void)poni_await(&c.base);
}

int
pons_stream_release(struct pons_stream *s)
{
    struct closing c;
    int fd = s->fd;

    if (!poni_epoch_is(s->epoch))
        return stream_leave(s);
    if (poni_self.polling &&
        !(poni_stream_recall(s, &(struct pons_waker){0}) && home_is_here(s)))
        return poni_refuse_poll("pons_stream_release() of a busy stream",
                                "its operations' ends");
    closing_init(&c, s, 1);
    if (poni_self.polling) {
        poni_unpolled_remove(&c.base);
        (void)closing_poll(&c.base, &(struct pons_waker){0});
    } else {
        (void)poni_await(&c.base);
    }
    return fd;
}
