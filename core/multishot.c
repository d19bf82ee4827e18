/* SPDX-License-Identifier: MIT */
/*
 * core/multishot.c - see pons/multishot.h, and core/multishot.h for the states.
 *
 * The trap is memory that somebody else needs: who does not take what is told
 * would hold all buffers of a seat. So a multishot that is ahead of its taker
 * by too many is cancelled, and begun again once all is taken; and who finds
 * no buffer left (-ENOBUFS) goes on with one of the heap. Nobody waits for a
 * buffer.
 */

#include "multishot.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "fork.h"
#include "future.h"
#include "lock.h"
#include "opcode.h"
#include "seat.h"
#include "stream.h"

enum {
    ACCEPTED_MAX = 16, // connections told and not taken, of one multishot
    TOLD = -EAGAIN,    // the result of a multishot op whose last event was a
                       // success; of no other
    FDS_MIN = 8,       // room in the first list of connections; it doubles
};

enum multi_kind { MULTI_RECV, MULTI_ACCEPT, MULTI_POLL };

enum multi_flags {
    MULTI_SINGLY = 1u << 0, // the leaf is the plain operation, this time
    MULTI_PAUSED = 1u << 1, // it was cancelled since it is ahead, or its next
                            // was, or its reactor is to be closed
};

static const struct multi_of {
    uint8_t plain, multi; // opcodes
    const char *name;     // of the next
} multi_of[] = {
    [MULTI_RECV] = {PONS_OP_RECV, PONS_OP_RECV_MULTI, "recv_next"},
    [MULTI_ACCEPT] = {PONS_OP_ACCEPT, PONS_OP_ACCEPT_MULTI, "accept_next"},
    [MULTI_POLL] = {PONS_OP_POLL, PONS_OP_POLL_MULTI, "poll_next"},
};

/* Connections that were told; multi->first. */
struct fds {
    uint32_t at, end, cap;
    int fd[];
};

/* The three nexts are one: `out` is of their kind. */
struct next {
    struct pons_future base;
    struct pons_multi *multi;
    void *out;
    uintptr_t reserved;
};

enum next_state { NEXT_NEW, NEXT_WAITS, NEXT_ASKED };

/* In multi->reserved: those that the same reactor has. The owner's. */
enum multi_link { BEFORE, BEHIND };

static struct poni_leaf *
leaf_of(struct pons_multi *m)
{
    return (struct poni_leaf *)(void *)m; // it begins like one
}

static struct pons_multi *
multi_of_op(struct pons_op *op)
{
    return pons_container_of(op, struct pons_multi, io.op);
}

static struct next *
next_of(struct pons_future *f)
{
    return (struct next *)(void *)f; // base is the first member
}

/* --- those that a reactor has --- */

static struct pons_multi *
link_get(const struct pons_multi *m, enum multi_link which)
{
    return (struct pons_multi *)m->reserved[which];
}

static void
link_set(struct pons_multi *m, enum multi_link which, struct pons_multi *other)
{
    m->reserved[which] = (uintptr_t)other;
}

void
poni_multi_enter(struct poni_seat *seat, struct pons_op *op)
{
    struct pons_multi *m = multi_of_op(op), *first = seat->multis;

    link_set(m, BEFORE, NULL);
    link_set(m, BEHIND, first);
    if (first != NULL)
        link_set(first, BEFORE, m);
    seat->multis = m;
}

static void
multi_leave(struct poni_seat *seat, struct pons_multi *m)
{
    struct pons_multi *before = link_get(m, BEFORE);
    struct pons_multi *behind = link_get(m, BEHIND);

    if (before != NULL)
        link_set(before, BEHIND, behind);
    else
        seat->multis = behind;
    if (behind != NULL)
        link_set(behind, BEFORE, before);
}

void
poni_multi_leave_all(struct poni_seat *seat)
{
    struct pons_multi *m;

    for (m = seat->multis; m != NULL; m = link_get(m, BEHIND)) {
        struct pons_stream *s = m->io.stream;

        poni_lock(&s->lock);
        m->flags |= MULTI_PAUSED;
        seat->reactor->ops->cancel(seat->reactor, &m->io.op);
        poni_unlock(&s->lock);
    }
}

/* --- what is told --- */

static void
items_push(struct pons_multi *m, struct poni_buffer *item)
{
    struct poni_buffer *last = m->last;

    item->next = NULL;
    if (m->first == NULL)
        m->first = item;
    else
        last->next = item;
    m->last = item;
    m->count++;
}

static struct poni_buffer *
items_pop(struct pons_multi *m)
{
    struct poni_buffer *item = m->first;

    if (item != NULL) {
        m->first = item->next;
        m->count--;
    }
    return item;
}

/* Room for one more at the end: that of those that were taken, if it is half of
 * all. */
static struct fds *
fds_room(struct fds *fds)
{
    uint32_t cap = fds == NULL ? FDS_MIN : 2 * fds->cap;
    struct fds *grown;

    if (fds != NULL && fds->end < fds->cap)
        return fds;
    if (fds != NULL && fds->at >= fds->cap / 2) {
        fds->end -= fds->at;
        memmove(fds->fd, fds->fd + fds->at, fds->end * sizeof(int));
        fds->at = 0;
        return fds;
    }
    grown = realloc(fds, sizeof *grown + cap * sizeof(int));
    if (grown == NULL)
        return NULL;
    if (fds == NULL)
        grown->at = grown->end = 0;
    grown->cap = cap;
    return grown;
}

static int
fds_push(struct pons_multi *m, int fd)
{
    struct fds *fds = fds_room(m->first);

    if (fds == NULL)
        return -ENOMEM;
    m->first = fds;
    fds->fd[fds->end++] = fd;
    m->count++;
    return 0;
}

static int
fds_pop(struct pons_multi *m)
{
    struct fds *fds = m->first;
    int fd;

    if (m->count == 0)
        return -1;
    fd = fds->fd[fds->at++];
    if (--m->count == 0)
        fds->at = fds->end = 0;
    return fd;
}

/* Under the lock. `item` is RECV's. */
static void
multi_tell(struct pons_multi *m, int32_t res, struct poni_buffer *item)
{
    switch ((enum multi_kind)m->kind) {
    case MULTI_RECV:
        items_push(m, item);
        break;
    case MULTI_ACCEPT:
        if (fds_push(m, res) == 0)
            break;
        close(res);
        poni_log(PONS_LOG_ERROR, "stream",
                 "no memory for a connection that was accepted: it is closed");
        break;
    case MULTI_POLL:
        m->count |= (uint32_t)res;
        break;
    }
}

/* --- for core/io.c --- */

static int
multi_is_native(const struct pons_multi *m, struct poni_seat *seat)
{
    if (seat == NULL || (m->flags & MULTI_SINGLY) ||
        !poni_reactor_has(seat->reactor, multi_of[m->kind].multi))
        return 0;
    return m->kind != MULTI_RECV || poni_buffers_of(seat) != NULL;
}

int
poni_multi_prepare(struct poni_seat *seat, struct pons_op *op)
{
    struct pons_multi *m = multi_of_op(op);
    struct poni_buffer *item;

    if (multi_is_native(m, seat)) {
        poni_buffers_collect(seat);
        poni_store_relaxed(&op->opcode, multi_of[m->kind].multi);
        return 0;
    }
    if (m->kind != MULTI_RECV)
        return 0;
    if (m->buffer == NULL)
        m->buffer = poni_buffer_new(BUFFER_BYTES);
    if (m->buffer == NULL)
        return -ENOMEM;
    item = m->buffer;
    op->addr = item->data;
    op->len = BUFFER_BYTES;
    return 0;
}

static unsigned
multi_ahead(const struct pons_multi *m, const struct poni_seat *seat)
{
    return m->kind == MULTI_RECV ? poni_buffers_ahead(seat) : ACCEPTED_MAX;
}

/* Under the lock, by the owner of the seat: it is told faster than taken. */
static void
multi_pause(struct pons_multi *m, struct poni_seat *seat)
{
    if (m->kind == MULTI_POLL || m->count < multi_ahead(m, seat) ||
        (m->flags & MULTI_PAUSED))
        return;
    m->flags |= MULTI_PAUSED;
    seat->reactor->ops->cancel(seat->reactor, &m->io.op);
}

/* The item of an event that lends; NULL: there is nothing in it. */
static struct poni_buffer *
event_item(struct poni_seat *seat, int32_t res, uint32_t flags)
{
    struct poni_buffer *item;

    if (!(flags & PONS_EVENT_BUFFER))
        return NULL;
    item = poni_buffers_lent(seat, flags >> PONS_EVENT_BUFFER_SHIFT,
                             res > 0 ? (uint32_t)res : 0);
    if (res > 0)
        return item;
    poni_buffer_return(item);
    return NULL;
}

void
poni_multi_event(struct poni_seat *seat, struct pons_op *op, int32_t res,
                 uint32_t flags)
{
    struct pons_multi *m = multi_of_op(op);
    struct pons_stream *s = m->io.stream;
    struct pons_waker woken = {NULL, NULL};
    struct poni_buffer *item = event_item(seat, res, flags);
    int more = (flags & PONS_EVENT_MORE) != 0;
    int told = op->opcode != multi_of[m->kind].plain &&
               (m->kind == MULTI_ACCEPT ? res >= 0 : res > 0);

    poni_buffers_collect(seat);
    poni_lock(&s->lock);
    if (told)
        multi_tell(m, res, item);
    if (more) {
        multi_pause(m, seat);
        woken = m->io.waker;
        m->io.waker = (struct pons_waker){NULL, NULL};
    }
    poni_unlock(&s->lock);
    pons_waker_wake(&woken);
    if (more)
        return;
    multi_leave(seat, m);
    poni_io_end_event(seat, op, told ? TOLD : res);
}

/* --- the leaf --- */

/* As new. Nobody has it. */
static void
multi_renew(struct pons_multi *m)
{
    struct pons_op *op = &m->io.op;

    poni_io_init(leaf_of(m), m->io.stream, multi_of[m->kind].plain,
                 m->kind == MULTI_POLL ? IO_POLLS : IO_HOLDS);
    poni_op_belongs(op, USER_MULTI);
    poni_unpolled_remove(&m->base);
    m->flags = 0;
    if (m->kind == MULTI_ACCEPT)
        op->op_flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
    if (m->kind == MULTI_POLL)
        op->len = m->events;
}

/* What ended on its own, as if it had been told. 1: it was a success. */
static int
multi_ended_well(struct pons_multi *m)
{
    struct poni_buffer *item = m->buffer;
    int64_t res = m->base.result;

    if (res < 0 || (res == 0 && m->kind != MULTI_ACCEPT))
        return 0;
    if (m->kind == MULTI_RECV) {
        item->size = (uint32_t)res;
        m->buffer = NULL;
    }
    multi_tell(m, (int32_t)res, item);
    return 1;
}

/*
 * The leaf has ended, and nothing is told. 1: `*res` is what to say of it; 0:
 * it goes on. Either way it is as new.
 */
static int
multi_ended(struct pons_multi *m, int64_t *res)
{
    struct pons_stream *s = m->io.stream;
    int paused = (m->flags & MULTI_PAUSED) != 0;
    int starved =
        m->base.result == -ENOBUFS && m->io.op.opcode == PONS_OP_RECV_MULTI;

    *res = m->base.result;
    if (multi_ended_well(m))
        *res = TOLD;
    poni_lock(&s->lock); // a closer looks at what has the turn
    multi_renew(m);
    poni_unlock(&s->lock);
    if (starved)
        m->flags |= MULTI_SINGLY;
    return *res != TOLD && !starved && !(*res == -ECANCELED && paused);
}

/* --- next --- */

static int
take_bytes(struct pons_multi *m, struct pons_lent *out, int64_t *result)
{
    struct poni_buffer *item = items_pop(m);

    if (item == NULL)
        return 0;
    out->data = item->data;
    out->size = item->size;
    out->owner = item;
    *result = item->size;
    return 1;
}

static int
take_connection(struct pons_multi *m, int64_t *result)
{
    if (m->count == 0)
        return 0;
    *result = fds_pop(m);
    return 1;
}

static int
take_events(struct pons_multi *m, int64_t *result)
{
    if (m->count == 0)
        return 0;
    *result = m->count;
    m->count = 0;
    return 1;
}

/* Under the lock: takes what was told. */
static int
next_take(struct next *n)
{
    struct pons_multi *m = n->multi;

    switch ((enum multi_kind)m->kind) {
    case MULTI_RECV:
        return take_bytes(m, n->out, &n->base.result);
    case MULTI_ACCEPT:
        return take_connection(m, &n->base.result);
    case MULTI_POLL:
        return take_events(m, &n->base.result);
    }
    return 0;
}

static int
next_take_locked(struct next *n)
{
    struct pons_stream *s = n->multi->io.stream;
    int taken;

    poni_lock(&s->lock);
    taken = next_take(n);
    poni_unlock(&s->lock);
    return taken;
}

/* It has been taken: a connection becomes a stream. */
static enum pons_poll
next_give(struct next *n)
{
    struct pons_stream **out = n->out;
    int fd = (int)n->base.result;

    if (n->multi->kind != MULTI_ACCEPT)
        return PONS_READY;
    *out = poni_stream_new(fd, STREAM_SOCKET);
    if (*out != NULL)
        return poni_ready(&n->base, 0);
    close(fd);
    return poni_ready(&n->base, poni_fail(-ENOMEM, "no memory for a stream"));
}

/* It has ended, and what it began has not: that must not wake who has gone. */
static void
next_leave(struct pons_multi *m)
{
    struct pons_stream *s = m->io.stream;
    struct pons_waker left;

    poni_lock(&s->lock);
    left = m->io.waker;
    m->io.waker = (struct pons_waker){NULL, NULL};
    poni_unlock(&s->lock);
    pons_waker_drop(&left);
}

/* Takes what is there; READY: so it did, or it ended without. */
static enum pons_poll
next_work(struct next *n, struct pons_waker *w)
{
    struct pons_multi *m = n->multi;
    int64_t res;

    for (;;) {
        if (next_take_locked(n))
            return next_give(n);
        if (n->base.state == NEXT_ASKED) {
            next_leave(m);
            return poni_ready(&n->base, -ECANCELED);
        }
        if (poni_io_poll(&m->base, w) == PONS_PENDING)
            break;
        if (multi_ended(m, &res))
            return poni_ready(&n->base, res);
    }
    /* What came before the waker was in its place told nobody. */
    if (!next_take_locked(n))
        return PONS_PENDING;
    next_leave(m);
    return next_give(n);
}

static enum pons_poll
next_poll(struct pons_future *f, struct pons_waker *w)
{
    struct next *n = next_of(f);
    const struct pons_stream *s = n->multi->io.stream;

    poni_unpolled_remove(f);
    if (s == NULL)
        return poni_ready(f, poni_fail(-EINVAL, "this multishot has ended"));
    if (!poni_epoch_is(s->epoch))
        return poni_ready(f, poni_stream_check(s));
    if (!poni_budget_take(&poni_self, w))
        return PONS_PENDING;
    if (f->state == NEXT_NEW) {
        if (poni_cancel_due(&poni_self))
            return poni_ready(f, -ECANCELED);
        f->state = NEXT_WAITS;
    }
    return next_work(n, w);
}

/* What waits for its turn, or in a thread's wait, cannot without a next. */
static void
next_cancel(struct pons_future *f)
{
    struct pons_multi *m = next_of(f)->multi;

    f->state = NEXT_ASKED;
    switch (poni_load_acquire(&m->io.op.state)) {
    case IO_QUEUED:
    case IO_TURN:
    case IO_LISTED:
        m->flags |= MULTI_PAUSED; // no seat has it
        poni_io_cancel(&m->base);
        break;
    default:
        break;
    }
}

static void
next_describe(const struct pons_future *f, char *text, size_t size)
{
    const struct next *n = (const struct next *)(const void *)f;

    poni_io_ops.describe(&n->multi->base, text, size);
}

static const struct pons_future_ops next_ops[] = {
    [MULTI_RECV] = {.size = sizeof *next_ops,
                    .name = "recv_next",
                    .poll = next_poll,
                    .cancel = next_cancel,
                    .describe = next_describe},
    [MULTI_ACCEPT] = {.size = sizeof *next_ops,
                      .name = "accept_next",
                      .poll = next_poll,
                      .cancel = next_cancel,
                      .describe = next_describe},
    [MULTI_POLL] = {.size = sizeof *next_ops,
                    .name = "poll_next",
                    .poll = next_poll,
                    .cancel = next_cancel,
                    .describe = next_describe},
};

static void
next_init(struct next *n, struct pons_multi *m, void *out)
{
    poni_future_init(&n->base, &next_ops[m->kind]);
    n->multi = m;
    n->out = out;
    n->reserved = 0;
}

static int64_t
next_await(struct pons_multi *m, void *out)
{
    struct next n;

    next_init(&n, m, out);
    return poni_await_as(&n.base, multi_of[m->kind].name);
}

/* --- the end --- */

/* In a closed stream, or a forked child: what is left goes. */
static void
multi_drop(struct pons_multi *m)
{
    struct poni_buffer *item;
    int fd;

    if (m->kind == MULTI_RECV)
        while ((item = items_pop(m)) != NULL)
            poni_buffer_return(item);
    if (m->kind == MULTI_ACCEPT)
        while ((fd = fds_pop(m)) >= 0)
            close(fd);
}

/* Under the lock. 0 or -ENOMEM. */
static int
multi_give_back_bytes(struct pons_multi *m)
{
    struct pons_stream *s = m->io.stream;
    struct poni_buffer *item;
    size_t size = 0, at = 0;
    char *all;
    int err;

    for (item = m->first; item != NULL; item = item->next)
        size += item->size;
    if (size == 0)
        return 0;
    all = malloc(size);
    err = all == NULL ? -ENOMEM : poni_stream_reserve_ahead(s, size);
    if (err == 0) {
        while ((item = items_pop(m)) != NULL) {
            memcpy(all + at, item->data, item->size);
            at += item->size;
            poni_buffer_return(item);
        }
        poni_stream_give_back(s, all, size);
        s->ahead_reserved -= size;
    }
    free(all);
    return err;
}

static int
multi_give_back_fds(struct pons_multi *m)
{
    struct pons_stream *s = m->io.stream;
    size_t size = m->count * sizeof(int);
    const struct fds *fds = m->first;
    int err;

    if (size == 0)
        return 0;
    err = poni_stream_reserve_ahead(s, size);
    if (err < 0)
        return err;
    poni_stream_give_back(s, (const char *)(fds->fd + fds->at), size);
    s->ahead_is_fds = 1;
    s->ahead_reserved -= size;
    m->count = 0;
    return 0;
}

static int
multi_give_back(struct pons_multi *m)
{
    struct pons_stream *s = m->io.stream;
    int err = 0;

    poni_lock(&s->lock);
    if (s->phase == STREAM_CLOSING)
        multi_drop(m);
    else if (m->kind == MULTI_RECV)
        err = multi_give_back_bytes(m);
    else if (m->kind == MULTI_ACCEPT)
        err = multi_give_back_fds(m);
    poni_unlock(&s->lock);
    return err;
}

/* Nothing is in course. */
static enum pons_poll
end_finish(struct pons_multi_end *e)
{
    struct pons_multi *m = e->multi;
    struct pons_stream *s = m->io.stream;
    int64_t res;
    int err = 0;

    if (!poni_epoch_is(s->epoch)) {
        multi_drop(m);
    } else {
        if (m->io.op.state == IO_ENDED)
            (void)multi_ended(m, &res);
        err = multi_give_back(m);
    }
    if (err < 0)
        return poni_ready(&e->base,
                          poni_fail(err, "no memory to give back what was not "
                                         "taken: take it, or end again"));
    if (poni_epoch_is(s->epoch))
        poni_io_let_go(leaf_of(m));
    free(m->buffer);
    if (m->kind == MULTI_ACCEPT)
        free(m->first);
    m->buffer = m->first = NULL;
    m->io.stream = NULL;
    poni_stream_unref(s);
    return poni_ready(&e->base, 0);
}

static enum pons_poll
end_poll(struct pons_future *f, struct pons_waker *w)
{
    struct pons_multi_end *e =
        pons_container_of(f, struct pons_multi_end, base);
    struct pons_multi *m = e->multi;

    poni_unpolled_remove(f);
    if (m->io.stream == NULL)
        return poni_ready(f, 0); // it has ended
    if (poni_load_acquire(&m->io.op.state) == IO_NEW ||
        !poni_epoch_is(m->io.stream->epoch)) // nobody here has it
        return end_finish(e);
    if (f->state == 0) {
        f->state = 1;
        poni_io_cancel(&m->base);
    }
    return poni_io_poll(&m->base, w) == PONS_READY ? end_finish(e)
                                                   : PONS_PENDING;
}

/* It ends by itself. */
static void
end_cancel(struct pons_future *f)
{
    (void)f;
}

static const struct pons_future_ops end_ops = {
    .size = sizeof end_ops,
    .name = "multi_end",
    .poll = end_poll,
    .cancel = end_cancel,
};

void
pons_multi_end_init(struct pons_multi_end *e, struct pons_multi *m)
{
    poni_future_init(&e->base, &end_ops);
    e->multi = m;
    e->reserved[0] = e->reserved[1] = 0;
}

static int
end_await(struct pons_multi *m)
{
    struct pons_multi_end e;

    if (poni_self.polling)
        return poni_refuse_poll("a multishot's end", "struct pons_multi_end");
    pons_multi_end_init(&e, m);
    return (int)poni_await(&e.base);
}

/* --- the three kinds --- */

static void
multi_init(struct pons_multi *m, struct pons_stream *s, enum multi_kind kind,
           short events)
{
    memset(m, 0, sizeof *m);
    m->kind = (uint16_t)kind;
    m->events = (uint16_t)events;
    m->io.stream = s;
    poni_stream_ref(s);
    multi_renew(m);
}

void
pons_lent_return(struct pons_lent *bytes)
{
    struct poni_buffer *item = bytes->owner;

    *bytes = (struct pons_lent){NULL, 0, NULL, 0};
    if (item != NULL)
        poni_buffer_return(item);
}

void
pons_recv_multi_init(struct pons_recv_multi *m, struct pons_stream *s)
{
    multi_init(&m->multi, s, MULTI_RECV, 0);
}

void
pons_recv_next_init(struct pons_recv_next *n, struct pons_recv_multi *m,
                    struct pons_lent *out)
{
    *out = (struct pons_lent){NULL, 0, NULL, 0};
    next_init((struct next *)(void *)n, &m->multi, out);
}

int64_t
pons_recv_next(struct pons_recv_multi *m, struct pons_lent *out)
{
    if (poni_self.polling)
        return poni_refuse_poll("pons_recv_next()", "struct pons_recv_next");
    *out = (struct pons_lent){NULL, 0, NULL, 0};
    return next_await(&m->multi, out);
}

int
pons_recv_multi_end(struct pons_recv_multi *m)
{
    return end_await(&m->multi);
}

void
pons_accept_multi_init(struct pons_accept_multi *m,
                       struct pons_stream *listener)
{
    multi_init(&m->multi, listener, MULTI_ACCEPT, 0);
}

void
pons_accept_next_init(struct pons_accept_next *n, struct pons_accept_multi *m,
                      struct pons_stream **out)
{
    *out = NULL;
    next_init((struct next *)(void *)n, &m->multi, out);
}

int
pons_accept_next(struct pons_accept_multi *m, struct pons_stream **out)
{
    if (poni_self.polling)
        return poni_refuse_poll("pons_accept_next()",
                                "struct pons_accept_next");
    *out = NULL;
    return (int)next_await(&m->multi, out);
}

int
pons_accept_multi_end(struct pons_accept_multi *m)
{
    return end_await(&m->multi);
}

void
pons_poll_multi_init(struct pons_poll_multi *m, struct pons_stream *s,
                     short events)
{
    multi_init(&m->multi, s, MULTI_POLL, events);
}

void
pons_poll_next_init(struct pons_poll_next *n, struct pons_poll_multi *m)
{
    n->reserved[0] = n->reserved[1] = 0;
    next_init((struct next *)(void *)n, &m->multi, NULL);
}

int64_t
pons_poll_next(struct pons_poll_multi *m)
{
    if (poni_self.polling)
        return poni_refuse_poll("pons_poll_next()", "struct pons_poll_next");
    return next_await(&m->multi, NULL);
}

int
pons_poll_multi_end(struct pons_poll_multi *m)
{
    return end_await(&m->multi);
}
