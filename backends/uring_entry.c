/* SPDX-License-Identifier: MIT */
/*
 * backends/uring_entry.c - an op as an entry of the ring: one function each,
 * and the table.
 *
 * SHUTDOWN is left to the core: the kernel makes it on a thread of its own,
 * where the call itself takes half a microsecond.
 */

#include "uring.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

typedef void entry_fill_f(const struct uring *u, struct io_uring_sqe *sqe,
                          const struct pons_op *op);

/* --- sockets --- */

static void
entry_accept(const struct uring *u, struct io_uring_sqe *sqe,
             const struct pons_op *op)
{
    (void)u;
    io_uring_prep_accept(sqe, op->fd, op->addr, op->addr2, (int)op->op_flags);
}

static void
entry_accept_multi(const struct uring *u, struct io_uring_sqe *sqe,
                   const struct pons_op *op)
{
    (void)u;
    io_uring_prep_multishot_accept(sqe, op->fd, NULL, NULL, (int)op->op_flags);
}

static void
entry_connect(const struct uring *u, struct io_uring_sqe *sqe,
              const struct pons_op *op)
{
    (void)u;
    io_uring_prep_connect(sqe, op->fd, op->addr, (socklen_t)op->len);
}

static void
entry_recv(const struct uring *u, struct io_uring_sqe *sqe,
           const struct pons_op *op)
{
    (void)u;
    io_uring_prep_recv(sqe, op->fd, op->addr, op->len, (int)op->op_flags);
}

static void
entry_recv_multi(const struct uring *u, struct io_uring_sqe *sqe,
                 const struct pons_op *op)
{
    (void)u;
    io_uring_prep_recv_multishot(sqe, op->fd, NULL, 0, (int)op->op_flags);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = op->buffer_group;
}

/*
 * A send that would block is not the kernel's to repeat: to a full unix
 * datagram socket it would send the second time what the first has left of the
 * bytes, which is nothing (seen with Linux 6.18). So it says EAGAIN, and is
 * polled for (backends/uring_result.c).
 */
#define ENTRY_SEND (MSG_NOSIGNAL | MSG_DONTWAIT)

static void
entry_send(const struct uring *u, struct io_uring_sqe *sqe,
           const struct pons_op *op)
{
    (void)u;
    io_uring_prep_send(sqe, op->fd, op->addr, op->len,
                       (int)op->op_flags | ENTRY_SEND);
}

static void
entry_send_zc(const struct uring *u, struct io_uring_sqe *sqe,
              const struct pons_op *op)
{
    entry_send(u, sqe, op);
    if (op->backend2 != URING_LENDS)
        return;
    sqe->opcode = IORING_OP_SEND_ZC;
    sqe->ioprio = u->can.reports ? URING_ZC_REPORT_USAGE : 0;
}

static void
entry_recvmsg(const struct uring *u, struct io_uring_sqe *sqe,
              const struct pons_op *op)
{
    (void)u;
    io_uring_prep_recvmsg(sqe, op->fd, op->addr, op->op_flags);
}

static void
entry_sendmsg(const struct uring *u, struct io_uring_sqe *sqe,
              const struct pons_op *op)
{
    (void)u;
    io_uring_prep_sendmsg(sqe, op->fd, op->addr, op->op_flags | ENTRY_SEND);
}

static void
entry_socket(const struct uring *u, struct io_uring_sqe *sqe,
             const struct pons_op *op)
{
    (void)u;
    io_uring_prep_socket(sqe, op->fd, (int)op->len, op->fd2, 0);
}

/* --- bytes --- */

static void
entry_read(const struct uring *u, struct io_uring_sqe *sqe,
           const struct pons_op *op)
{
    (void)u;
    io_uring_prep_read(sqe, op->fd, op->addr, op->len, op->offset);
}

/*
 * Where a descriptor stands the first try may not wait at all, not even for
 * what the kernel takes for ready: a tty in blocking mode has room for one byte
 * and is given a thousand. What says EOPNOTSUPP is of that kind.
 */
static void
entry_write(const struct uring *u, struct io_uring_sqe *sqe,
            const struct pons_op *op)
{
    io_uring_prep_write(sqe, op->fd, op->addr, op->len, op->offset);
    if (op->offset != PONS_AT_POSITION)
        return;
    sqe->rw_flags = u->can.nosignal ? URING_RWF_NOSIGNAL : 0;
    if (op->backend2 == URING_CALLS)
        sqe->rw_flags |= RWF_NOWAIT;
    if (op->backend2 == URING_WORKS)
        sqe->flags |= IOSQE_ASYNC;
}

static void
entry_readv(const struct uring *u, struct io_uring_sqe *sqe,
            const struct pons_op *op)
{
    (void)u;
    io_uring_prep_readv2(sqe, op->fd, op->addr, op->len, op->offset,
                         (int)op->op_flags);
}

static void
entry_writev(const struct uring *u, struct io_uring_sqe *sqe,
             const struct pons_op *op)
{
    (void)u;
    io_uring_prep_writev2(sqe, op->fd, op->addr, op->len, op->offset,
                          (int)op->op_flags);
}

static void
entry_splice(const struct uring *u, struct io_uring_sqe *sqe,
             const struct pons_op *op)
{
    (void)u;
    io_uring_prep_splice(sqe, op->fd2, (int64_t)op->offset2, op->fd,
                         (int64_t)op->offset, op->len, op->op_flags);
}

/* --- files --- */

static void
entry_openat(const struct uring *u, struct io_uring_sqe *sqe,
             const struct pons_op *op)
{
    (void)u;
    io_uring_prep_openat(sqe, op->fd, op->addr, (int)op->op_flags,
                         (mode_t)op->len);
}

static void
entry_close(const struct uring *u, struct io_uring_sqe *sqe,
            const struct pons_op *op)
{
    (void)u;
    io_uring_prep_close(sqe, op->fd);
}

static void
entry_fsync(const struct uring *u, struct io_uring_sqe *sqe,
            const struct pons_op *op)
{
    (void)u;
    io_uring_prep_fsync(sqe, op->fd,
                        op->opcode == PONS_OP_FDATASYNC ? IORING_FSYNC_DATASYNC
                                                        : 0);
}

static void
entry_fallocate(const struct uring *u, struct io_uring_sqe *sqe,
                const struct pons_op *op)
{
    (void)u;
    io_uring_prep_fallocate(sqe, op->fd, (int)op->len, (off_t)op->offset,
                            (off_t)op->offset2);
}

static void
entry_ftruncate(const struct uring *u, struct io_uring_sqe *sqe,
                const struct pons_op *op)
{
    (void)u;
    io_uring_prep_rw(URING_OP_FTRUNCATE, sqe, op->fd, NULL, 0, op->offset);
}

/* --- names --- */

static void
entry_statx(const struct uring *u, struct io_uring_sqe *sqe,
            const struct pons_op *op)
{
    (void)u;
    io_uring_prep_statx(sqe, op->fd, op->addr, (int)op->op_flags, op->len,
                        op->addr2);
}

static void
entry_renameat(const struct uring *u, struct io_uring_sqe *sqe,
               const struct pons_op *op)
{
    (void)u;
    io_uring_prep_renameat(sqe, op->fd, op->addr, op->fd2, op->addr2,
                           op->op_flags);
}

static void
entry_unlinkat(const struct uring *u, struct io_uring_sqe *sqe,
               const struct pons_op *op)
{
    (void)u;
    io_uring_prep_unlinkat(sqe, op->fd, op->addr, (int)op->op_flags);
}

static void
entry_mkdirat(const struct uring *u, struct io_uring_sqe *sqe,
              const struct pons_op *op)
{
    (void)u;
    io_uring_prep_mkdirat(sqe, op->fd, op->addr, (mode_t)op->len);
}

static void
entry_linkat(const struct uring *u, struct io_uring_sqe *sqe,
             const struct pons_op *op)
{
    (void)u;
    io_uring_prep_linkat(sqe, op->fd, op->addr, op->fd2, op->addr2,
                         (int)op->op_flags);
}

static void
entry_symlinkat(const struct uring *u, struct io_uring_sqe *sqe,
                const struct pons_op *op)
{
    (void)u;
    io_uring_prep_symlinkat(sqe, op->addr, op->fd, op->addr2);
}

/* --- processes --- */

static void
entry_waitid(const struct uring *u, struct io_uring_sqe *sqe,
             const struct pons_op *op)
{
    (void)u;
    io_uring_prep_rw(URING_OP_WAITID, sqe, op->fd, NULL, op->len,
                     (uintptr_t)op->addr2);
    sqe->file_index = op->op_flags;
}

/* --- the table --- */

// clang-format off
static const struct entry {
    int needs; // of the kernel
    entry_fill_f *fill;
} entries[PONS_OPCODES] = {
    [PONS_OP_ACCEPT]       = {IORING_OP_ACCEPT,     entry_accept},
    [PONS_OP_CONNECT]      = {IORING_OP_CONNECT,    entry_connect},
    [PONS_OP_RECV]         = {IORING_OP_RECV,       entry_recv},
    [PONS_OP_SEND]         = {IORING_OP_SEND,       entry_send},
    [PONS_OP_READ]         = {IORING_OP_READ,       entry_read},
    [PONS_OP_WRITE]        = {IORING_OP_WRITE,      entry_write},
    [PONS_OP_RECVMSG]      = {IORING_OP_RECVMSG,    entry_recvmsg},
    [PONS_OP_SENDMSG]      = {IORING_OP_SENDMSG,    entry_sendmsg},
    [PONS_OP_READV]        = {IORING_OP_READV,      entry_readv},
    [PONS_OP_WRITEV]       = {IORING_OP_WRITEV,     entry_writev},
    [PONS_OP_OPENAT]       = {IORING_OP_OPENAT,     entry_openat},
    [PONS_OP_CLOSE]        = {IORING_OP_CLOSE,      entry_close},
    [PONS_OP_FSYNC]        = {IORING_OP_FSYNC,      entry_fsync},
    [PONS_OP_FDATASYNC]    = {IORING_OP_FSYNC,      entry_fsync},
    [PONS_OP_FALLOCATE]    = {IORING_OP_FALLOCATE,  entry_fallocate},
    [PONS_OP_FTRUNCATE]    = {URING_OP_FTRUNCATE,   entry_ftruncate},
    [PONS_OP_STATX]        = {IORING_OP_STATX,      entry_statx},
    [PONS_OP_RENAMEAT]     = {IORING_OP_RENAMEAT,   entry_renameat},
    [PONS_OP_UNLINKAT]     = {IORING_OP_UNLINKAT,   entry_unlinkat},
    [PONS_OP_MKDIRAT]      = {IORING_OP_MKDIRAT,    entry_mkdirat},
    [PONS_OP_LINKAT]       = {IORING_OP_LINKAT,     entry_linkat},
    [PONS_OP_SYMLINKAT]    = {IORING_OP_SYMLINKAT,  entry_symlinkat},
    [PONS_OP_SPLICE]       = {IORING_OP_SPLICE,     entry_splice},
    [PONS_OP_WAITID]       = {URING_OP_WAITID,      entry_waitid},
    [PONS_OP_SOCKET]       = {IORING_OP_SOCKET,     entry_socket},
    /* These are tried (backends/uring_probe.c), and have a bit for that. */
    [PONS_OP_ACCEPT_MULTI] = {URING_OPS,            entry_accept_multi},
    [PONS_OP_RECV_MULTI]   = {URING_OPS,            entry_recv_multi},
    [PONS_OP_SEND_ZC]      = {URING_OPS,            entry_send_zc},
};
// clang-format on

/* What every kernel has that has all else which is asked for. */
#define ENTRY_ALWAYS                                                    \
    (1u << PONS_OP_NOP | 1u << PONS_OP_ACCEPT | 1u << PONS_OP_CONNECT | \
     1u << PONS_OP_RECV | 1u << PONS_OP_SEND | 1u << PONS_OP_READ |     \
     1u << PONS_OP_WRITE | 1u << PONS_OP_POLL | 1u << PONS_OP_RECVMSG | \
     1u << PONS_OP_SENDMSG)

uint64_t
poni_uring_opcodes(uint64_t ops)
{
    uint64_t bits = ENTRY_ALWAYS;

    for (unsigned i = 0; i < PONS_OPCODES; i++)
        if (entries[i].fill != NULL && entries[i].needs < URING_OPS &&
            ops >> entries[i].needs & 1)
            bits |= UINT64_C(1) << i;
    return bits;
}

static unsigned
entry_recv_events(const struct pons_op *op)
{
    if (op->op_flags & MSG_ERRQUEUE)
        return POLLERR;
    return op->op_flags & MSG_OOB ? POLLPRI : POLLIN;
}

unsigned
poni_uring_events(const struct pons_op *op)
{
    switch (op->opcode) {
    case PONS_OP_POLL:
    case PONS_OP_POLL_MULTI:
        return op->len & 0xffff; // as poll(2) has them
    case PONS_OP_RECV:
    case PONS_OP_RECVMSG:
        return entry_recv_events(op);
    case PONS_OP_CONNECT:
    case PONS_OP_SEND:
    case PONS_OP_SEND_ZC:
    case PONS_OP_SENDMSG:
    case PONS_OP_WRITE:
        return POLLOUT;
    default:
        return POLLIN;
    }
}

/*
 * The kernel passes over wake-ups that tell POLLPRI and nothing else that is
 * asked for. Where sockets tell it, they tell POLLRDBAND, too, which none has;
 * what has it is not mistaken for the answer (backends/uring_result.c).
 */
static unsigned
entry_wake_events(const struct pons_op *op)
{
    unsigned events = poni_uring_events(op);

    return events & POLLPRI ? events | POLLRDBAND : events;
}

void
poni_uring_fill(const struct uring *u, struct io_uring_sqe *sqe,
                struct pons_op *op)
{
    switch ((enum uring_step)op->backend2) {
    case URING_WATCHES:
    case URING_HELPS:
        io_uring_prep_poll_add(sqe,
                               op->opcode == PONS_OP_SPLICE ? op->fd2 : op->fd,
                               entry_wake_events(op));
        break;
    case URING_WATCHES_TO:
        io_uring_prep_poll_add(sqe, op->fd, POLLOUT);
        break;
    case URING_LOOKS_ON:
    case URING_SETTLES:
        io_uring_prep_poll_multishot(sqe, op->fd, entry_wake_events(op));
        break;
    case URING_LENT: // these have no more to ask for
    case URING_REGRETS:
        break;
    case URING_CALLS:
    case URING_INSISTS:
    case URING_LENDS:
    case URING_WORKS:
        entries[op->opcode].fill(u, sqe, op);
        break;
    }
    sqe->user_data = (uintptr_t)op;
}
