/* SPDX-License-Identifier: MIT */
/*
 * core/optry.c - makes the system call of an op, once, without blocking.
 *
 * The descriptor's own mode is not ours to rely on or to change, so each call
 * is told by itself not to wait: MSG_DONTWAIT, RWF_NOWAIT. Where a kind of
 * descriptor knows neither, poll(2) is asked before. The trap is SIGPIPE, which
 * only some calls can be told not to raise.
 */

#include "adapter.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "atomic.h"
#include "fail.h"
#include "opcode.h"
#include "sigpipe.h"
#include "sys.h"

#ifndef RWF_NOSIGNAL
#define RWF_NOSIGNAL 0x00000100 // Linux 6.18
#endif

/* Whether the call ended; then op->res is what it said. */
static int
try_ended(struct pons_op *op, ssize_t n)
{
    if (n < 0 && errno == EAGAIN)
        return 0;
    op->res = n < 0 ? -errno : (int32_t)n;
    return 1;
}

static int
try_says(struct pons_op *op, int err)
{
    op->res = err;
    return 1;
}

/* EAGAIN is never a result, so there is no asking for it. With MSG_WAITALL a
 * cancel in the middle could not say that nothing was consumed. */
static int
try_flags_refused(const struct pons_op *op)
{
    return (op->op_flags & (MSG_DONTWAIT | MSG_WAITALL)) != 0;
}

/* What the kernel said of a call. */
static inline int
try_told(struct pons_op *op, long n)
{
    if (n == -EAGAIN)
        return 0;
    op->res = (int32_t)n;
    return 1;
}

static inline int
try_recv(struct pons_op *op)
{
    long n;

    if (try_flags_refused(op))
        return try_says(op, -EINVAL);
    do
        n = poni_sys_recv(op->fd, op->addr, op->len,
                          (int)op->op_flags | MSG_DONTWAIT);
    while (n == -EINTR);
    return try_told(op, n);
}

static inline int
try_send(struct pons_op *op)
{
    int flags = (int)op->op_flags | MSG_DONTWAIT | MSG_NOSIGNAL;
    long n;

    if (try_flags_refused(op))
        return try_says(op, -EINVAL);
    do
        n = poni_sys_send(op->fd, op->addr, op->len, flags);
    while (n == -EINTR);
    return try_told(op, n);
}

static int
try_recvmsg(struct pons_op *op)
{
    ssize_t n;

    if (try_flags_refused(op))
        return try_says(op, -EINVAL);
    do
        n = recvmsg(op->fd, op->addr, (int)op->op_flags | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return try_ended(op, n);
}

static int
try_sendmsg(struct pons_op *op)
{
    int flags = (int)op->op_flags | MSG_DONTWAIT | MSG_NOSIGNAL;
    ssize_t n;

    if (try_flags_refused(op))
        return try_says(op, -EINVAL);
    do
        n = sendmsg(op->fd, op->addr, flags);
    while (n < 0 && errno == EINTR);
    return try_ended(op, n);
}

/*
 * A plain call where RWF_NOWAIT is not known: ttys, odd devices, pipes before
 * Linux 6.4. On a descriptor in blocking mode poll(2) goes first; who else
 * reads or writes the same file between the two can still make us wait, which
 * is why streams reopen ttys for themselves. POSIX promises room for PIPE_BUF
 * bytes when poll says writable: a larger write could wait half-way.
 */
static ssize_t
try_plainly(const struct pons_op *op, short events)
{
    struct iovec part = {.iov_base = op->addr, .iov_len = op->len};
    struct pollfd p = {.fd = op->fd, .events = events};
    int flags = fcntl(op->fd, F_GETFL);
    off_t at = (off_t)op->offset;

    if (flags < 0)
        return -1;
    if (!(flags & O_NONBLOCK)) {
        if (poll(&p, 1, 0) <= 0) {
            errno = EAGAIN;
            return -1;
        }
        if (events == POLLOUT && part.iov_len > PIPE_BUF)
            part.iov_len = PIPE_BUF;
    }
    return events == POLLIN ? preadv2(op->fd, &part, 1, at, 0)
                            : pwritev2(op->fd, &part, 1, at, 0);
}

static int
try_read(struct pons_op *op)
{
    struct iovec all = {.iov_base = op->addr, .iov_len = op->len};
    ssize_t n;

    do {
        n = preadv2(op->fd, &all, 1, (off_t)op->offset, RWF_NOWAIT);
        if (n < 0 && errno == EOPNOTSUPP)
            n = try_plainly(op, POLLIN);
    } while (n < 0 && errno == EINTR);
    return try_ended(op, n);
}

/* Set once by whoever finds out: the kernel is older than RWF_NOSIGNAL.
 * Relaxed: it guards nothing, and knowing it late costs a system call. */
static int try_no_nosignal;

static ssize_t
try_write_may_signal(const struct pons_op *op)
{
    struct iovec all = {.iov_base = op->addr, .iov_len = op->len};
    ssize_t n = pwritev2(op->fd, &all, 1, (off_t)op->offset, RWF_NOWAIT);

    if (n < 0 && errno == EOPNOTSUPP)
        return try_plainly(op, POLLOUT);
    poni_store_relaxed(&try_no_nosignal, 1);
    return n;
}

static ssize_t
try_write_masked(const struct pons_op *op)
{
    struct poni_sigpipe held;
    ssize_t n;

    poni_sigpipe_begin(&held);
    n = try_write_may_signal(op);
    poni_sigpipe_end(&held, n < 0);
    return n;
}

static int
try_write(struct pons_op *op)
{
    struct iovec all = {.iov_base = op->addr, .iov_len = op->len};
    ssize_t n = -1;

    do {
        errno = EOPNOTSUPP;
        if (!poni_load_relaxed(&try_no_nosignal))
            n = pwritev2(op->fd, &all, 1, (off_t)op->offset,
                         RWF_NOWAIT | RWF_NOSIGNAL);
        if (n < 0 && errno == EOPNOTSUPP)
            n = try_write_masked(op);
    } while (n < 0 && errno == EINTR);
    return try_ended(op, n);
}

/* accept(2) cannot be told not to wait: the mode of the listener decides. */
static int
try_refuse_listener(struct pons_op *op)
{
    socklen_t size = sizeof(int);
    int listens;

    if (getsockopt(op->fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0)
        return try_ended(op, -1);
    return try_says(op, poni_fail(-EINVAL,
                                  "accept on descriptor %d: the listener is in "
                                  "blocking mode; make it non-blocking "
                                  "(SOCK_NONBLOCK, or fcntl O_NONBLOCK)",
                                  op->fd));
}

/* A connection that its maker has given up is a result, too (ECONNABORTED): on
 * Linux it is seldom noticed before the first read. */
static int
try_accept(struct pons_op *op)
{
    int flags = fcntl(op->fd, F_GETFL), fd;

    if (flags < 0)
        return try_ended(op, -1);
    if (!(flags & O_NONBLOCK))
        return try_refuse_listener(op);
    do
        fd = accept4(op->fd, op->addr, op->addr2, (int)op->op_flags);
    while (fd < 0 && errno == EINTR);
    return try_ended(op, fd);
}

/*
 * connect(2) cannot be told not to wait, either. A socket in blocking mode is
 * made non-blocking for the one call: connecting changes it for everybody who
 * shares it anyway.
 */
static int
try_start_connect(const struct pons_op *op)
{
    int flags = fcntl(op->fd, F_GETFL);
    int n, err;

    if (flags < 0)
        return -1;
    if (!(flags & O_NONBLOCK) && fcntl(op->fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return -1;
    n = connect(op->fd, op->addr, (socklen_t)op->len);
    err = errno;
    if (!(flags & O_NONBLOCK))
        (void)fcntl(op->fd, F_SETFL, flags);
    errno = err;
    return n;
}

/*
 * EAGAIN is a unix socket's, and means that the listener's queue is full: the
 * connect was not started, and no readiness will tell when there is room. A
 * signal (EINTR) does not stop what was started.
 */
static int
try_connect(struct pons_op *op)
{
    struct pollfd p = {.fd = op->fd, .events = POLLOUT};
    socklen_t size = sizeof(int);
    int outcome;

    if (op->backend2 == 0) {
        int n = try_start_connect(op);

        if (n == 0 || (errno != EINPROGRESS && errno != EINTR))
            return try_ended(op, n);
        op->backend2 = 1;
        return 0;
    }
    if (poll(&p, 1, 0) <= 0)
        return 0;
    if (getsockopt(op->fd, SOL_SOCKET, SO_ERROR, &outcome, &size) < 0)
        return try_ended(op, -1);
    return try_says(op, -outcome);
}

/* poll(2) passes over negative descriptors and has a bit for bad ones. */
static int
try_poll(struct pons_op *op)
{
    struct pollfd p = {.fd = op->fd, .events = (short)op->len};
    int n;

    if (op->fd < 0)
        return try_says(op, -EBADF);
    do
        n = poll(&p, 1, 0);
    while (n < 0 && errno == EINTR);
    if (n == 0)
        return 0;
    if (n > 0 && p.revents & POLLNVAL)
        return try_says(op, -EBADF);
    return try_says(op, n < 0 ? -errno : p.revents);
}

__attribute__((noinline)) static int
try_other(struct pons_op *op)
{
    int saved = errno, ended;

    switch (op->opcode) {
    case PONS_OP_NOP:
        ended = try_says(op, (int32_t)op->len);
        break;
    case PONS_OP_ACCEPT:
    case PONS_OP_ACCEPT_MULTI:
        ended = try_accept(op);
        break;
    case PONS_OP_CONNECT:
        ended = try_connect(op);
        break;
    case PONS_OP_READ:
        ended = try_read(op);
        break;
    case PONS_OP_WRITE:
        ended = try_write(op);
        break;
    case PONS_OP_POLL:
    case PONS_OP_POLL_MULTI:
        ended = try_poll(op);
        break;
    case PONS_OP_RECVMSG:
        ended = try_recvmsg(op);
        break;
    case PONS_OP_SENDMSG:
        ended = try_sendmsg(op);
        break;
    default: // it ends by itself
        ended = try_says(op, poni_op_call(op));
        break;
    }
    errno = saved;
    return ended;
}

int
poni_op_try(struct pons_op *op)
{
    switch (op->opcode) {
    case PONS_OP_RECV:
    case PONS_OP_RECV_MULTI:
        return try_recv(op);
    case PONS_OP_SEND:
    case PONS_OP_SEND_ZC:
        return try_send(op);
    default:
        return try_other(op);
    }
}

static short
recv_events(const struct pons_op *op)
{
    if (op->op_flags & MSG_ERRQUEUE)
        return POLLERR;
    return op->op_flags & MSG_OOB ? POLLPRI : POLLIN;
}

short
poni_op_events(const struct pons_op *op)
{
    switch (op->opcode) {
    case PONS_OP_RECV:
    case PONS_OP_RECVMSG:
        return recv_events(op);
    case PONS_OP_ACCEPT:
    case PONS_OP_ACCEPT_MULTI:
    case PONS_OP_RECV_MULTI:
    case PONS_OP_READ:
        return POLLIN;
    case PONS_OP_CONNECT:
    case PONS_OP_SEND:
    case PONS_OP_SEND_ZC:
    case PONS_OP_SENDMSG:
    case PONS_OP_WRITE:
        return POLLOUT;
    case PONS_OP_POLL:
    case PONS_OP_POLL_MULTI:
        return (short)op->len;
    default:
        return 0;
    }
}
