/* SPDX-License-Identifier: MIT */
/*
 * backends/uring_aside.c - calls of our own, where an entry would not be right.
 *
 * Before: the mode of a listener, and whether a descriptor has offsets, are
 * nothing that the ring looks at. Instead: a WRITE to what knows no RWF_NOWAIT
 * (ttys, odd devices, pipes before Linux 6.4), and every one where SIGPIPE
 * cannot be kept away (before 6.18), is made here; if it would block, when the
 * ring's poll has said so.
 */

#include "uring.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define PART "uring"

/* --- before --- */

static int
aside_says(int32_t *res, int err)
{
    *res = err;
    return 1;
}

static int
aside_errno(int32_t *res)
{
    return aside_says(res, -errno);
}

static int
aside_accept(struct uring *u, const struct pons_op *op, int32_t *res)
{
    int flags = fcntl(op->fd, F_GETFL), listens;
    socklen_t size = sizeof listens;

    if (flags < 0)
        return aside_errno(res);
    if (flags & O_NONBLOCK)
        return 0;
    if (getsockopt(op->fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0)
        return aside_errno(res);
    u->host->log(u->host, PONS_LOG_WARN, PART,
                 "accept on descriptor %d: the listener is in blocking mode; "
                 "make it non-blocking (SOCK_NONBLOCK, or fcntl O_NONBLOCK)",
                 op->fd);
    return aside_says(res, -EINVAL);
}

/* Bytes at an offset: a pipe has none, which the ring passes over. A call of no
 * parts looks at nothing else. */
static int
aside_offset(const struct pons_op *op, int32_t *res)
{
    int writes = op->opcode == PONS_OP_WRITE || op->opcode == PONS_OP_WRITEV;
    ssize_t n = writes ? pwritev(op->fd, NULL, 0, (off_t)op->offset)
                       : preadv(op->fd, NULL, 0, (off_t)op->offset);

    return n < 0 ? aside_errno(res) : 0;
}

/* With MSG_WAITALL a cancel in the middle could not say that nothing was
 * consumed. */
static int
aside_flags(const struct pons_op *op, unsigned bad, int32_t *res)
{
    return op->op_flags & bad ? aside_says(res, -EINVAL) : 0;
}

static int
aside_recv_multi(const struct uring *u, const struct pons_op *op, int32_t *res)
{
    if (!poni_uring_has_group(u, op->buffer_group))
        return aside_says(res, -EINVAL);
    return aside_flags(
        op, MSG_DONTWAIT | MSG_WAITALL | MSG_PEEK | MSG_OOB | MSG_ERRQUEUE,
        res);
}

int
poni_uring_refused(struct uring *u, const struct pons_op *op, int32_t *res)
{
    switch (op->opcode) {
    case PONS_OP_RECV:
    case PONS_OP_SEND:
    case PONS_OP_SEND_ZC:
    case PONS_OP_RECVMSG:
    case PONS_OP_SENDMSG:
        return aside_flags(op, MSG_DONTWAIT | MSG_WAITALL, res);
    case PONS_OP_RECV_MULTI:
        return aside_recv_multi(u, op, res);
    case PONS_OP_ACCEPT:
    case PONS_OP_ACCEPT_MULTI:
        return aside_accept(u, op, res);
    case PONS_OP_READ:
    case PONS_OP_WRITE:
        return op->offset != PONS_AT_POSITION && aside_offset(op, res);
    case PONS_OP_READV:
    case PONS_OP_WRITEV:
        if (op->op_flags & RWF_NOWAIT)
            return aside_says(res, -EINVAL);
        return op->op_flags == 0 && aside_offset(op, res);
    case PONS_OP_SPLICE:
        return aside_flags(op, SPLICE_F_NONBLOCK, res);
    case PONS_OP_FTRUNCATE:
        return (int64_t)op->offset < 0 ? aside_says(res, -EINVAL) : 0;
    default:
        return 0;
    }
}

/* --- instead --- */

/* A file waits for the disk alone, which the kernel sees to. A tty in blocking
 * mode has room for one byte and is given a thousand: that is for somebody who
 * may be held up. */
enum uring_step
poni_uring_instead(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    struct stat st;

    if (fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)))
        return URING_INSISTS;
    return flags < 0 || flags & O_NONBLOCK ? URING_HELPS : URING_WORKS;
}

/* poll(2) has just said that there is room: for PIPE_BUF bytes, and more could
 * wait half-way. */
static ssize_t
help_plainly(const struct pons_op *op, struct iovec part)
{
    struct pollfd p = {.fd = op->fd, .events = POLLOUT};
    int flags = fcntl(op->fd, F_GETFL);

    if (flags < 0)
        return -1;
    if (!(flags & O_NONBLOCK)) {
        if (poll(&p, 1, 0) <= 0) {
            errno = EAGAIN;
            return -1;
        }
        if (part.iov_len > PIPE_BUF)
            part.iov_len = PIPE_BUF;
    }
    return pwritev2(op->fd, &part, 1, -1, 0);
}

static ssize_t
help_once(const struct pons_op *op)
{
    struct iovec all = {.iov_base = op->addr, .iov_len = op->len};
    ssize_t n;

    do {
        n = pwritev2(op->fd, &all, 1, -1, RWF_NOWAIT);
        if (n < 0 && errno == EOPNOTSUPP)
            n = help_plainly(op, all);
    } while (n < 0 && errno == EINTR);
    return n;
}

/* A SIGPIPE of ours is taken back; one that was pending before stays. */
int
poni_uring_help(const struct pons_op *op, int32_t *res)
{
    const struct timespec at_once = {0};
    sigset_t only, before, pending;
    int err = 0;
    ssize_t n;

    sigemptyset(&only);
    sigaddset(&only, SIGPIPE);
    sigemptyset(&pending);
    (void)sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &only, &before);
    n = help_once(op);
    if (n < 0)
        err = errno;
    if (err == EPIPE && !sigismember(&pending, SIGPIPE))
        while (sigtimedwait(&only, NULL, &at_once) < 0 && errno == EINTR)
            continue;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    *res = n < 0 ? -err : (int32_t)n;
    return err != EAGAIN;
}
