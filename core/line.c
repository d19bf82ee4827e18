/* SPDX-License-Identifier: MIT */
/*
 * core/line.c - reading lines.
 *
 * A line is read into the caller's own buffer. What came behind it, or all of
 * it when the call is cancelled, goes back in front of the stream's bytes; the
 * room for that is reserved before the first byte is read, so nothing can be
 * lost. It has the turn for all of that, so that nobody reads in between.
 *
 *    NEW ---> READING ---> (one byte more, where only "\n" is missing) --->
 * ended
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fail.h"
#include "future.h"
#include "lock.h"
#include "stream.h"

size_t
poni_stream_take_ahead(struct pons_stream *s, void *buffer, size_t size)
{
    size_t n = s->ahead_end - s->ahead_at;

    n = n < size ? n : size;
    if (n > 0)
        memcpy(buffer, s->ahead + s->ahead_at, n);
    s->ahead_at += n;
    return n;
}

/* MSG_PEEK leaves them. Urgent data and the error queue are no part of them,
 * and neither is there an address or control data with them. */
int
poni_stream_take_message(struct pons_stream *s, struct pons_op *op)
{
    struct msghdr *m = op->addr;
    size_t before = s->ahead_at, n = 0;

    if (op->op_flags & (MSG_OOB | MSG_ERRQUEUE | MSG_DONTWAIT | MSG_WAITALL))
        return 0;
    for (size_t i = 0; i < m->msg_iovlen; i++)
        n += poni_stream_take_ahead(s, m->msg_iov[i].iov_base,
                                    m->msg_iov[i].iov_len);
    if (op->op_flags & MSG_PEEK)
        s->ahead_at = before;
    if (n == 0)
        return 0;
    m->msg_namelen = 0;
    m->msg_controllen = 0;
    m->msg_flags = 0;
    op->res = (int32_t)n;
    return 1;
}

int
poni_stream_reserve_ahead(struct pons_stream *s, size_t size)
{
    size_t there = s->ahead_end - s->ahead_at;
    size_t need = there + s->ahead_reserved + size;
    char *grown;

    if (need > s->ahead_cap) {
        grown = malloc(need);
        if (grown == NULL)
            return -ENOMEM;
        if (there > 0)
            memcpy(grown, s->ahead + s->ahead_at, there);
        free(s->ahead);
        s->ahead = grown;
        s->ahead_cap = need;
        s->ahead_at = 0;
        s->ahead_end = there;
    }
    s->ahead_reserved += size;
    return 0;
}

void
poni_stream_give_back(struct pons_stream *s, const char *bytes, size_t n)
{
    size_t there = s->ahead_end - s->ahead_at;

    if (n == 0)
        return;
    if (there > 0)
        memmove(s->ahead + n, s->ahead + s->ahead_at, there);
    memcpy(s->ahead, bytes, n);
    s->ahead_at = 0;
    s->ahead_end = n + there;
}

static size_t
line_reserve(const struct pons_read_line *r)
{
    return r->size + 1; // the buffer, and the extra byte
}

/* Ends with `result`; what lies at and behind `keep_from` goes back. */
static enum pons_poll
line_end(struct pons_read_line *r, int64_t result, size_t keep_from)
{
    struct pons_stream *s = r->stream;
    size_t in_buffer = r->have < r->size ? r->have : r->size;

    poni_lock(&s->lock);
    if (r->have > r->size)
        poni_stream_give_back(s, r->extra, keep_from > r->size ? 0 : 1);
    if (keep_from < in_buffer)
        poni_stream_give_back(s, r->buffer + keep_from, in_buffer - keep_from);
    s->ahead_reserved -= line_reserve(r);
    poni_unlock(&s->lock);
    poni_io_let_go((struct poni_leaf *)(void *)&r->recv);
    poni_stream_unref(s);
    r->base.resume = UINT32_MAX;
    return poni_ready(&r->base, result);
}

static char
line_byte(const struct pons_read_line *r, size_t i)
{
    return i < r->size ? r->buffer[i] : r->extra[0];
}

/* `at` is where the "\n" is, or the end of the last line. */
static enum pons_poll
line_found(struct pons_read_line *r, size_t at, size_t behind)
{
    size_t length = at;

    if (behind > at && length > 0 && line_byte(r, length - 1) == '\r')
        length--;
    if (length > r->size - 1)
        return line_end(
            r,
            poni_fail(-EMSGSIZE, "a line does not fit in %zu bytes", r->size),
            0);
    (void)line_end(r, (int64_t)length, behind);
    r->buffer[length] = 0;
    return PONS_READY;
}

/* READY: the line ended, one way or the other; PENDING: more must be read. */
static enum pons_poll
line_look(struct pons_read_line *r, size_t from)
{
    for (size_t i = from; i < r->have; i++)
        if (line_byte(r, i) == '\n')
            return line_found(r, i, i + 1);
    if (r->have > r->size ||
        (r->have == r->size && r->buffer[r->size - 1] != '\r'))
        return line_found(r, r->have, r->have); // does not fit
    return PONS_PENDING;
}

static int
line_begin(struct pons_read_line *r)
{
    struct pons_stream *s = r->stream;
    int err = poni_stream_check(s);

    if (err < 0)
        return err;
    if (r->size == 0)
        return poni_fail(-EINVAL, "a line needs a buffer of at least 1 byte");
    poni_lock(&s->lock);
    err = poni_stream_reserve_ahead(s, line_reserve(r));
    poni_unlock(&s->lock);
    if (err < 0)
        return poni_fail(err, "no memory to read a line of %zu bytes", r->size);
    poni_stream_ref(s); // its reads may end while they have not had the turn
    return 0;
}

/* The next part: the rest of the buffer, or the one byte that is missing. Under
 * the lock, because a closer looks at an op that has the turn. */
static void
line_next(struct pons_read_line *r)
{
    struct pons_stream *s = r->stream;

    poni_lock(&s->lock);
    if (r->have < r->size)
        pons_recv_init(&r->recv, s, r->buffer + r->have, r->size - r->have);
    else
        pons_recv_init(&r->recv, s, r->extra, 1);
    r->recv.io.op.flags |= IO_HOLDS;
    poni_unlock(&s->lock);
}

static enum pons_poll
line_poll(struct pons_future *f, struct pons_waker *w)
{
    struct pons_read_line *r =
        pons_container_of(f, struct pons_read_line, base);
    int64_t n;
    int err;

    PONS_BEGIN(f);
    poni_unpolled_remove(f);
    err = poni_cancel_due(&poni_self) ? -ECANCELED : line_begin(r);
    if (err < 0)
        PONS_RETURN(f, err);
    for (;;) {
        line_next(r);
        PONS_AWAIT(f, w, &r->recv);
        n = r->recv.base.result;
        if (n < 0)
            return line_end(r, n, 0);
        if (n == 0 && r->have == 0)
            return line_end(r, -ENODATA, 0);
        if (n == 0)
            return line_found(r, r->have, r->have);
        r->have += (size_t)n;
        if (line_look(r, r->have - (size_t)n) == PONS_READY)
            return PONS_READY;
    }
    PONS_END(f);
}

static const struct pons_future_ops line_ops = {
    .size = sizeof line_ops,
    .name = "read_line",
    .poll = line_poll,
};

void
pons_read_line_init(struct pons_read_line *r, struct pons_stream *s,
                    char *buffer, size_t size)
{
    poni_future_init(&r->base, &line_ops);
    r->stream = s;
    r->buffer = buffer;
    r->size = size;
    r->have = 0;
    r->reserved = 0;
}

int64_t
pons_read_line(struct pons_stream *s, char *buffer, size_t size)
{
    struct pons_read_line r;

    if (poni_self.polling)
        return poni_refuse_poll("pons_read_line()", "struct pons_read_line");
    pons_read_line_init(&r, s, buffer, size);
    return pons_await(&r.base);
}
