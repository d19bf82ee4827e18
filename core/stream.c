/* SPDX-License-Identifier: MIT */
/*
 * core/stream.c - streams: adopted, and used. Their end is core/close.c.
 */

#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapter.h"
#include "fail.h"
#include "fork.h"
#include "future.h"
#include "lock.h"
#include "runtime.h"
#include "seat.h"
#include "sys.h"

/* In `refs` of a stream that is not closed, where `begun` is still to come: so
 * it does not fall to 0 before. */
#define OPEN_REFS ((int64_t)1 << 62)

struct poni_seat *
poni_stream_home(struct pons_stream *s)
{
    struct poni_seat *home = s->home;

    if (home != NULL &&
        (poni_load_acquire(&home->runtime->phase) == RUNTIME_STOPPED ||
         poni_runtime_check(home->runtime) < 0))
        return NULL;
    return home;
}

int
poni_stream_check(const struct pons_stream *s)
{
    if (poni_epoch_is(s->epoch))
        return 0;
    return poni_fail(-EOWNERDEAD,
                     "this stream belongs to the process that was forked: "
                     "release its descriptor %d, and adopt it here",
                     s->fd);
}

/* --- adopting --- */

static int
adopt_socket(int fd)
{
    socklen_t size = sizeof(int);
    int listens = 0, flags;

    (void)getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size);
    flags = fcntl(fd, F_GETFL);
    if (listens && !(flags & O_NONBLOCK))
        return poni_fail(-EINVAL,
                         "descriptor %d is a listener in blocking mode: one "
                         "accept could hold up its worker; set O_NONBLOCK "
                         "before you adopt it",
                         fd);
    return 0;
}

/* A tty knows no single non-blocking read, and its flags belong to everybody
 * who shares it: the stream gets an open file of its own. */
static int
adopt_tty(int *fd)
{
    char path[32];
    int own, number, flags = fcntl(*fd, F_GETFL);

    /* The master of a pseudo terminal, reopened, would be that of another. */
    if (flags & O_NONBLOCK || ioctl(*fd, TIOCGPTN, &number) == 0)
        return 0;
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", *fd);
    own = open(path, (flags & O_ACCMODE) | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (own < 0)
        return poni_fail(-errno,
                         "descriptor %d is a tty that cannot be "
                         "reopened as %s",
                         *fd, path);
    close(*fd);
    *fd = own;
    return 0;
}

struct pons_stream *
poni_stream_new(int fd, enum stream_kind kind)
{
    struct pons_stream *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    s->fd = fd;
    s->kind = (uint16_t)kind;
    s->epoch = poni_epoch();
    s->refs = OPEN_REFS;
    return s;
}

void
poni_stream_ref(struct pons_stream *s)
{
    poni_add_relaxed(&s->refs, 1); // who takes one has one, or the stream
}

/* Acquire and release pair with each other: what all have done is done. */
static void
stream_add_refs(struct pons_stream *s, int64_t n)
{
    if (poni_add(&s->refs, n) + n == 0)
        free(s);
}

void
poni_stream_unref(struct pons_stream *s)
{
    stream_add_refs(s, -1);
}

void
poni_stream_leave(struct pons_stream *s)
{
    int64_t begun;

    poni_lock(&s->lock);
    begun = (int64_t)s->begun;
    poni_unlock(&s->lock);
    stream_add_refs(s, begun - OPEN_REFS);
}

int
pons_stream_adopt(struct pons_stream **out, int fd)
{
    struct stat st;
    int err = 0;

    if (fstat(fd, &st) < 0)
        return poni_fail(-errno, "descriptor %d cannot be adopted: %s", fd,
                         strerror(errno));
    if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode))
        return poni_fail(-EINVAL,
                         "descriptor %d is a file: it is always ready, and a "
                         "stream of it would block; use pons_blocking()",
                         fd);
    if (S_ISSOCK(st.st_mode))
        err = adopt_socket(fd);
    *out = NULL;
    if (err == 0) {
        *out = poni_stream_new(fd, S_ISSOCK(st.st_mode) ? STREAM_SOCKET
                                                        : STREAM_OTHER);
        if (*out == NULL)
            err = poni_fail(-ENOMEM, "no memory for a stream");
    }
    if (err == 0 && S_ISCHR(st.st_mode) && isatty(fd))
        err = adopt_tty(&(*out)->fd);
    if (err < 0) {
        free(*out);
        *out = NULL;
    }
    return err;
}

int
pons_stream_fd(const struct pons_stream *s)
{
    return s->fd;
}

/* --- recv --- */

static struct poni_leaf *
leaf_at(struct pons_future *f)
{
    return (struct poni_leaf *)(void *)f; // all begin like a leaf
}

static uint32_t
call_len(size_t size)
{
    return size < IO_LEN_MAX ? (uint32_t)size : (uint32_t)IO_LEN_MAX;
}

static void
recv_describe(const struct pons_future *f, char *text, size_t size)
{
    poni_io_ops.describe(f, text, size);
}

static const struct pons_future_ops recv_ops = {
    .size = sizeof recv_ops,
    .name = "recv",
    .poll = poni_io_poll,
    .cancel = poni_io_cancel,
    .describe = recv_describe,
};

void
pons_recv_init(struct pons_recv *r, struct pons_stream *s, void *buffer,
               size_t size)
{
    struct poni_leaf *leaf = leaf_at(&r->base);

    poni_io_init(leaf, s,
                 s->kind == STREAM_SOCKET ? PONS_OP_RECV : PONS_OP_READ, 0);
    leaf->base.ops = &recv_ops;
    leaf->io.op.addr = buffer;
    leaf->io.op.len = call_len(size);
}

/* What a call on an ordinary thread came to. */
enum at_once { AT_ONCE_DONE, AT_ONCE_BLOCKS, AT_ONCE_NO };

/*
 * An ordinary thread whose turn it is at once makes the call and needs no op.
 * The lock is held over that one system call, which does not wait: so the order
 * of calls is kept. Inlined: after a system call each return is a wrong
 * prediction.
 */
static inline __attribute__((always_inline)) enum at_once
thread_at_once(struct pons_stream *s, int writes, void *buffer, size_t size,
               int64_t *result)
{
    enum at_once answer = AT_ONCE_NO;
    long n;

    if (poni_self.seat != NULL || s->kind != STREAM_SOCKET ||
        poni_cancel_due(&poni_self) || !poni_epoch_is(s->epoch))
        return AT_ONCE_NO;
    poni_lock(&s->lock);
    if (s->phase == STREAM_OPEN && s->way[writes].current == NULL &&
        (writes || s->ahead_at == s->ahead_end)) {
        do
            n = writes ? poni_sys_send(s->fd, buffer, call_len(size),
                                       MSG_DONTWAIT | MSG_NOSIGNAL)
                       : poni_sys_recv(s->fd, buffer, call_len(size),
                                       MSG_DONTWAIT);
        while (n == -EINTR);
        answer = n == -EAGAIN ? AT_ONCE_BLOCKS : AT_ONCE_DONE;
        *result = n;
    }
    poni_unlock(&s->lock);
    return answer;
}

static int64_t
at_once_answer(int64_t n, const char *what)
{
    if (n < 0)
        poni_fail_plain(poni_fail_mark(), n, what);
    return n;
}

__attribute__((noinline)) static int64_t
recv_by_op(struct pons_stream *s, void *buffer, size_t size, enum at_once now)
{
    struct pons_recv r;

    pons_recv_init(&r, s, buffer, size);
    if (now == AT_ONCE_BLOCKS)
        r.io.reserved = IO_TRIED;
    return pons_await(&r.base);
}

int64_t
pons_recv(struct pons_stream *s, void *buffer, size_t size)
{
    enum at_once now;
    int64_t n;

    if (poni_self.polling)
        return poni_refuse_poll("pons_recv()", "struct pons_recv");
    now = thread_at_once(s, 0, buffer, size, &n);
    return now == AT_ONCE_DONE ? at_once_answer(n, "recv")
                               : recv_by_op(s, buffer, size, now);
}

/* --- send --- */

void
pons_send_init(struct pons_send *w, struct pons_stream *s, const void *buffer,
               size_t size)
{
    struct poni_leaf *leaf = leaf_at(&w->base);

    poni_io_init(leaf, s,
                 s->kind == STREAM_SOCKET ? PONS_OP_SEND : PONS_OP_WRITE,
                 IO_WRITES);
    leaf->io.op.addr = (void *)(uintptr_t)buffer;
    leaf->io.op.len = call_len(size);
}

__attribute__((noinline)) static int64_t
send_by_op(struct pons_stream *s, const void *buffer, size_t size,
           enum at_once now)
{
    struct pons_send w;

    pons_send_init(&w, s, buffer, size);
    if (now == AT_ONCE_BLOCKS)
        w.io.reserved = IO_TRIED;
    return poni_await_as(&w.base, "send");
}

int64_t
pons_send(struct pons_stream *s, const void *buffer, size_t size)
{
    enum at_once now;
    int64_t n;

    if (poni_self.polling)
        return poni_refuse_poll("pons_send()", "struct pons_send");
    now = thread_at_once(s, 1, (void *)(uintptr_t)buffer, size, &n);
    return now == AT_ONCE_DONE ? at_once_answer(n, "send")
                               : send_by_op(s, buffer, size, now);
}

/* The next part. Once it has the turn a closer looks at the op: hence the lock.
 */
static void
send_all_next(struct pons_send_all *a)
{
    size_t left = a->size - a->sent;
    uint32_t *lock = a->sent > 0 ? &a->stream->lock : NULL;

    if (lock != NULL)
        poni_lock(lock);
    pons_send_init(&a->send, a->stream, (const char *)a->buffer + a->sent,
                   left);
    a->send.io.op.flags |= a->sent == 0 ? IO_HOLDS_SHORT : IO_HOLDS;
    if (lock != NULL)
        poni_unlock(lock);
}

static enum pons_poll
send_all_end(struct pons_send_all *a, int64_t result)
{
    if (poni_io_kept(leaf_at(&a->send.base)))
        poni_io_let_go(leaf_at(&a->send.base));
    a->base.resume = UINT32_MAX;
    return poni_ready(&a->base, result);
}

static enum pons_poll
send_all_poll(struct pons_future *f, struct pons_waker *w)
{
    struct pons_send_all *a = pons_container_of(f, struct pons_send_all, base);

    PONS_BEGIN(f);
    poni_unpolled_remove(f);
    do {
        send_all_next(a);
        PONS_AWAIT(f, w, &a->send);
        if (a->send.base.result < 0)
            return send_all_end(a, a->sent > 0 ? (int64_t)a->sent
                                               : a->send.base.result);
        a->sent += (size_t)a->send.base.result;
    } while (a->sent < a->size);
    return send_all_end(a, (int64_t)a->sent);
    PONS_END(f);
}

static const struct pons_future_ops send_all_ops = {
    .size = sizeof send_all_ops,
    .name = "send_all",
    .poll = send_all_poll,
};

void
pons_send_all_init(struct pons_send_all *a, struct pons_stream *s,
                   const void *buffer, size_t size)
{
    poni_future_init(&a->base, &send_all_ops);
    a->stream = s;
    a->buffer = buffer;
    a->size = size;
    a->sent = 0;
    a->reserved = 0;
}

int64_t
pons_send_all(struct pons_stream *s, const void *buffer, size_t size)
{
    struct pons_send_all a;

    if (poni_self.polling)
        return poni_refuse_poll("pons_send_all()", "struct pons_send_all");
    pons_send_all_init(&a, s, buffer, size);
    return pons_await(&a.base);
}

/* --- readiness --- */

void
pons_ready_wait_init(struct pons_ready_wait *r, struct pons_stream *s,
                     short events)
{
    struct poni_leaf *leaf = leaf_at(&r->base);

    poni_io_init(leaf, s, PONS_OP_POLL, IO_POLLS);
    leaf->io.op.len = (uint16_t)events;
}

int64_t
pons_ready_wait(struct pons_stream *s, short events)
{
    struct pons_ready_wait r;

    if (poni_self.polling)
        return poni_refuse_poll("pons_ready_wait()", "struct pons_ready_wait");
    pons_ready_wait_init(&r, s, events);
    return poni_await_as(&r.base, "ready_wait");
}

/* --- accept --- */

static enum pons_poll
accept_poll(struct pons_future *f, struct pons_waker *w)
{
    struct pons_accept *a = pons_container_of(f, struct pons_accept, base);
    int fd;

    if (f->state != 0)
        return PONS_READY;
    if (poni_io_poll(f, w) == PONS_PENDING)
        return PONS_PENDING;
    f->state = 1; // the descriptor is dealt with once
    if (f->result < 0)
        return PONS_READY;
    fd = (int)f->result;
    *a->out = poni_stream_new(fd, STREAM_SOCKET);
    if (*a->out == NULL) {
        close(fd);
        return poni_ready(f, poni_fail(-ENOMEM, "no memory for a stream"));
    }
    return poni_ready(f, 0);
}

static const struct pons_future_ops accept_ops = {
    .size = sizeof accept_ops,
    .name = "accept",
    .poll = accept_poll,
    .cancel = poni_io_cancel,
    .describe = recv_describe,
};

void
pons_accept_init(struct pons_accept *a, struct pons_stream *listener,
                 struct pons_stream **out)
{
    struct poni_leaf *leaf = leaf_at(&a->base);

    poni_io_init(leaf, listener, PONS_OP_ACCEPT, 0);
    leaf->base.ops = &accept_ops;
    leaf->io.op.op_flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
    a->out = out;
    a->reserved = 0;
    *out = NULL;
}

int
pons_accept(struct pons_stream *listener, struct pons_stream **out)
{
    struct pons_accept a;

    if (poni_self.polling)
        return poni_refuse_poll("pons_accept()", "struct pons_accept");
    pons_accept_init(&a, listener, out);
    return (int)pons_await(&a.base);
}

/* --- connect --- */

void
pons_connect_init(struct pons_connect *c, struct pons_stream *s,
                  const struct sockaddr *address, socklen_t length)
{
    struct poni_leaf *leaf = leaf_at(&c->base);

    poni_io_init(leaf, s, PONS_OP_CONNECT, IO_WRITES);
    if (length <= sizeof c->address)
        memcpy(&c->address, address, length);
    leaf->io.op.addr = &c->address;
    leaf->io.op.len = length; // what is longer connect(2) refuses unread
}

int
pons_connect(struct pons_stream *s, const struct sockaddr *address,
             socklen_t length)
{
    struct pons_connect c;

    if (poni_self.polling)
        return poni_refuse_poll("pons_connect()", "struct pons_connect");
    pons_connect_init(&c, s, address, length);
    return (int)poni_await_as(&c.base, "connect");
}
