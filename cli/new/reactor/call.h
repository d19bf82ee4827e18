/* SPDX-License-Identifier: MIT */
#ifndef CALL_H
#define CALL_H

/*
 * call.h - makes the system call of an operation, once, without waiting.
 *
 * The mode of a descriptor is its owner's, so each call is told by itself not
 * to wait: MSG_DONTWAIT, RWF_NOWAIT. What knows neither is asked by poll(2)
 * before. EAGAIN is no result (R9), and nothing raises SIGPIPE.
 */

#include <pons/op.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
    CALL_OPCODES = 1u << PONS_OP_NOP | 1u << PONS_OP_ACCEPT |
                   1u << PONS_OP_CONNECT | 1u << PONS_OP_RECV |
                   1u << PONS_OP_SEND | 1u << PONS_OP_READ |
                   1u << PONS_OP_WRITE | 1u << PONS_OP_POLL,
};

/* Of CONNECT, in op->backend2. */
enum call_phase {
    CALL_NEW,
    CALL_UNDER_WAY, // the kernel is at it
    CALL_PUT_OFF,   // a unix listener is full: nothing will report room
};

static short
call_events(const struct pons_op *op)
{
    switch (op->opcode) {
    case PONS_OP_POLL:
        return (short)op->len;
    case PONS_OP_RECV:
        if (op->op_flags & MSG_ERRQUEUE)
            return POLLERR;
        return op->op_flags & MSG_OOB ? POLLPRI : POLLIN;
    case PONS_OP_ACCEPT:
    case PONS_OP_READ:
        return POLLIN;
    default:
        return POLLOUT;
    }
}

static int
call_is_put_off(const struct pons_op *op)
{
    return op->opcode == PONS_OP_CONNECT && op->backend2 == CALL_PUT_OFF;
}

/* What a system call said; after a signal it is made again. */
static int
call_result(ssize_t n)
{
    if (n >= 0)
        return (int)n;
    return errno == EINTR ? -EAGAIN : -errno;
}

/* Not told to wait, `n` was refused: a plain call, then, if it need not wait.
 * poll(2) promises room for PIPE_BUF bytes. */
static int
call_plainly(const struct pons_op *op, short events)
{
    struct pollfd p = {.fd = op->fd, .events = events};
    int flags = fcntl(op->fd, F_GETFL);
    size_t len = op->len;

    if (flags < 0)
        return -errno;
    if (!(flags & O_NONBLOCK)) {
        if (poll(&p, 1, 0) <= 0)
            return -EAGAIN;
        if (events == POLLOUT && len > PIPE_BUF)
            len = PIPE_BUF;
    }
    return call_result(events == POLLIN ? read(op->fd, op->addr, len)
                                        : write(op->fd, op->addr, len));
}

static int
call_read(const struct pons_op *op)
{
    struct iovec all = {.iov_base = op->addr, .iov_len = op->len};
    int n = call_result(preadv2(op->fd, &all, 1, -1, RWF_NOWAIT));

    return n == -EOPNOTSUPP ? call_plainly(op, POLLIN) : n;
}

/* write(2) sends SIGPIPE to its own thread: it is blocked meanwhile, and taken
 * back if it was not pending before. */
static int
call_write(const struct pons_op *op)
{
    struct iovec all = {.iov_base = op->addr, .iov_len = op->len};
    const struct timespec at_once = {0};
    sigset_t pipe_only, pending, mask;
    int n;

    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &mask);
    n = call_result(pwritev2(op->fd, &all, 1, -1, RWF_NOWAIT));
    if (n == -EOPNOTSUPP)
        n = call_plainly(op, POLLOUT);
    if (n == -EPIPE && !sigismember(&pending, SIGPIPE))
        while (sigtimedwait(&pipe_only, NULL, &at_once) < 0 && errno == EINTR)
            continue;
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    return n;
}

/* accept(2) cannot be told not to wait: a listener in blocking mode is an error
 * (R9), and what is no listener says so itself. */
static int
call_accept(const struct pons_op *op)
{
    int flags = fcntl(op->fd, F_GETFL), listens;
    socklen_t size = sizeof listens;

    if (flags < 0)
        return -errno;
    if (flags & O_NONBLOCK)
        return call_result(
            accept4(op->fd, op->addr, op->addr2, (int)op->op_flags));
    if (getsockopt(op->fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0)
        return -errno;
    return -EINVAL;
}

/* Nor can connect(2): a socket in blocking mode is changed for the one call. */
static int
call_start_connect(const struct pons_op *op)
{
    int flags = fcntl(op->fd, F_GETFL), err;

    if (flags < 0)
        return -errno;
    if (!(flags & O_NONBLOCK) && fcntl(op->fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return -errno;
    err = connect(op->fd, op->addr, (socklen_t)op->len) < 0 ? -errno : 0;
    if (!(flags & O_NONBLOCK))
        (void)fcntl(op->fd, F_SETFL, flags);
    return err;
}

static int
call_connect(struct pons_op *op)
{
    struct pollfd p = {.fd = op->fd, .events = POLLOUT};
    socklen_t size = sizeof(int);
    int outcome;

    if (op->backend2 != CALL_UNDER_WAY) {
        outcome = call_start_connect(op);
        if (outcome == -EINPROGRESS || outcome == -EINTR)
            op->backend2 = CALL_UNDER_WAY;
        else if (outcome == -EAGAIN)
            op->backend2 = CALL_PUT_OFF;
        else
            return outcome;
        return -EAGAIN;
    }
    if (poll(&p, 1, 0) <= 0)
        return -EAGAIN;
    if (getsockopt(op->fd, SOL_SOCKET, SO_ERROR, &outcome, &size) < 0)
        return -errno;
    return -outcome;
}

/* poll(2) passes over negative descriptors and has a bit for bad ones. */
static int
call_look(const struct pons_op *op)
{
    struct pollfd p = {.fd = op->fd, .events = (short)op->len};
    int n = op->fd >= 0 ? call_result(poll(&p, 1, 0)) : -EBADF;

    if (n <= 0)
        return n == 0 ? -EAGAIN : n;
    return p.revents & POLLNVAL ? -EBADF : p.revents;
}

static int
call_make(struct pons_op *op)
{
    switch (op->opcode) {
    case PONS_OP_ACCEPT:
        return call_accept(op);
    case PONS_OP_CONNECT:
        return call_connect(op);
    case PONS_OP_RECV:
        return call_result(
            recv(op->fd, op->addr, op->len, (int)op->op_flags | MSG_DONTWAIT));
    case PONS_OP_SEND:
        return call_result(
            send(op->fd, op->addr, op->len,
                 (int)op->op_flags | MSG_DONTWAIT | MSG_NOSIGNAL));
    case PONS_OP_READ:
        return call_read(op);
    case PONS_OP_WRITE:
        return call_write(op);
    default:
        return call_look(op);
    }
}

/* 1: it has ended, op->res holds; 0: it would wait. Keeps errno. */
static int
call_try(struct pons_op *op)
{
    int saved = errno, res = call_make(op);

    errno = saved;
    if (res == -EAGAIN)
        return 0;
    op->res = res;
    return 1;
}

#endif /* CALL_H */
