/* SPDX-License-Identifier: MIT */
/*
 * core/opcode.c - the operations, one line each: name, way, system call.
 *
 * What WAITS is called by poni_op_try() (core/optry.c), which never blocks. The
 * calls here may, and say what the system call says: a signal does not end
 * them, and EAGAIN is waited out or was not asked for.
 */

#include "opcode.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sigpipe.h"

enum {
    CACHED_MAX = 65536, // bytes that a worker copies between two tasks: 10 us
};

typedef ssize_t opcode_call_f(const struct pons_op *op);

static ssize_t
opcode_refuse(int err)
{
    errno = err;
    return -1;
}

/* --- bytes --- */

static ssize_t
call_read(const struct pons_op *op)
{
    return pread(op->fd, op->addr, op->len, (off_t)op->offset);
}

static ssize_t
call_write(const struct pons_op *op)
{
    return pwrite(op->fd, op->addr, op->len, (off_t)op->offset);
}

/* RWF_NOWAIT would ask for EAGAIN. */
static ssize_t
call_readv(const struct pons_op *op)
{
    if (op->op_flags & RWF_NOWAIT)
        return opcode_refuse(EINVAL);
    if (op->op_flags == 0) // known to every kernel, and whatever poses as one
        return preadv(op->fd, op->addr, (int)op->len, (off_t)op->offset);
    return preadv2(op->fd, op->addr, (int)op->len, (off_t)op->offset,
                   (int)op->op_flags);
}

static ssize_t
call_writev(const struct pons_op *op)
{
    if (op->op_flags & RWF_NOWAIT)
        return opcode_refuse(EINVAL);
    if (op->op_flags == 0)
        return pwritev(op->fd, op->addr, (int)op->len, (off_t)op->offset);
    return pwritev2(op->fd, op->addr, (int)op->len, (off_t)op->offset,
                    (int)op->op_flags);
}

/* A descriptor in non-blocking mode has nothing, or no room. */
static void
splice_wait(const struct pons_op *op)
{
    struct pollfd from = {.fd = op->fd2, .events = POLLIN};
    struct pollfd to = {.fd = op->fd, .events = POLLOUT};

    (void)poll(&from, 1, -1);
    (void)poll(&to, 1, -1);
}

static ssize_t
call_splice(const struct pons_op *op)
{
    off64_t from = (off64_t)op->offset2, to = (off64_t)op->offset;
    off64_t *from_at = op->offset2 != PONS_AT_POSITION ? &from : NULL;
    off64_t *to_at = op->offset != PONS_AT_POSITION ? &to : NULL;
    struct poni_sigpipe held;
    ssize_t n;

    if (op->op_flags & SPLICE_F_NONBLOCK)
        return opcode_refuse(EINVAL);
    poni_sigpipe_begin(&held);
    while ((n = splice(op->fd2, from_at, op->fd, to_at, op->len,
                       op->op_flags)) < 0 &&
           errno == EAGAIN)
        splice_wait(op);
    poni_sigpipe_end(&held, n < 0);
    return n;
}

/* --- files --- */

static ssize_t
call_openat(const struct pons_op *op)
{
    return openat(op->fd, op->addr, (int)op->op_flags, (mode_t)op->len);
}

/* Linux has closed it when a signal ends it, so that is no failure. */
static ssize_t
call_close(const struct pons_op *op)
{
    int n = close(op->fd);

    return n < 0 && errno == EINTR ? 0 : n;
}

static ssize_t
call_fsync(const struct pons_op *op)
{
    return fsync(op->fd);
}

static ssize_t
call_fdatasync(const struct pons_op *op)
{
    return fdatasync(op->fd);
}

static ssize_t
call_fallocate(const struct pons_op *op)
{
    return fallocate(op->fd, (int)op->len, (off_t)op->offset,
                     (off_t)op->offset2);
}

static ssize_t
call_ftruncate(const struct pons_op *op)
{
    return ftruncate(op->fd, (off_t)op->offset);
}

/* --- names --- */

static ssize_t
call_statx(const struct pons_op *op)
{
    return statx(op->fd, op->addr, (int)op->op_flags, op->len, op->addr2);
}

static ssize_t
call_renameat(const struct pons_op *op)
{
    return renameat2(op->fd, op->addr, op->fd2, op->addr2, op->op_flags);
}

static ssize_t
call_unlinkat(const struct pons_op *op)
{
    return unlinkat(op->fd, op->addr, (int)op->op_flags);
}

static ssize_t
call_mkdirat(const struct pons_op *op)
{
    return mkdirat(op->fd, op->addr, (mode_t)op->len);
}

static ssize_t
call_linkat(const struct pons_op *op)
{
    return linkat(op->fd, op->addr, op->fd2, op->addr2, (int)op->op_flags);
}

static ssize_t
call_symlinkat(const struct pons_op *op)
{
    return symlinkat(op->addr, op->fd, op->addr2);
}

/* --- sockets, processes --- */

static ssize_t
call_nop(const struct pons_op *op)
{
    return (ssize_t)op->len;
}

static ssize_t
call_shutdown(const struct pons_op *op)
{
    return shutdown(op->fd, (int)op->len);
}

static ssize_t
call_socket(const struct pons_op *op)
{
    return socket(op->fd, (int)op->len, op->fd2);
}

static ssize_t
call_waitid(const struct pons_op *op)
{
    return waitid((idtype_t)op->len, (id_t)op->fd, op->addr2,
                  (int)op->op_flags);
}

/* --- the table --- */

struct opcode {
    const char *name;
    enum poni_way way;
    opcode_call_f *call; // NULL: only waits
};

// clang-format off
static const struct opcode opcodes[PONS_OPCODES] = {
    [PONS_OP_NOP]       = {"nop",       WAY_AT_ONCE, call_nop},
    [PONS_OP_ACCEPT]    = {"accept",    WAY_WAITS,   NULL},
    [PONS_OP_CONNECT]   = {"connect",   WAY_WAITS,   NULL},
    [PONS_OP_RECV]      = {"recv",      WAY_WAITS,   NULL},
    [PONS_OP_SEND]      = {"send",      WAY_WAITS,   NULL},
    [PONS_OP_READ]      = {"read",      WAY_WAITS,   call_read},
    [PONS_OP_WRITE]     = {"write",     WAY_WAITS,   call_write},
    [PONS_OP_POLL]      = {"poll",      WAY_WAITS,   NULL},
    [PONS_OP_RECVMSG]   = {"recvmsg",   WAY_WAITS,   NULL},
    [PONS_OP_SENDMSG]   = {"sendmsg",   WAY_WAITS,   NULL},
    [PONS_OP_READV]     = {"readv",     WAY_BLOCKS,  call_readv},
    [PONS_OP_WRITEV]    = {"writev",    WAY_BLOCKS,  call_writev},
    [PONS_OP_OPENAT]    = {"openat",    WAY_BLOCKS,  call_openat},
    [PONS_OP_CLOSE]     = {"close",     WAY_BLOCKS,  call_close},
    [PONS_OP_FSYNC]     = {"fsync",     WAY_BLOCKS,  call_fsync},
    [PONS_OP_FDATASYNC] = {"fdatasync", WAY_BLOCKS,  call_fdatasync},
    [PONS_OP_FALLOCATE] = {"fallocate", WAY_BLOCKS,  call_fallocate},
    [PONS_OP_FTRUNCATE] = {"ftruncate", WAY_BLOCKS,  call_ftruncate},
    [PONS_OP_STATX]     = {"statx",     WAY_BLOCKS,  call_statx},
    [PONS_OP_RENAMEAT]  = {"renameat",  WAY_BLOCKS,  call_renameat},
    [PONS_OP_UNLINKAT]  = {"unlinkat",  WAY_BLOCKS,  call_unlinkat},
    [PONS_OP_MKDIRAT]   = {"mkdirat",   WAY_BLOCKS,  call_mkdirat},
    [PONS_OP_LINKAT]    = {"linkat",    WAY_BLOCKS,  call_linkat},
    [PONS_OP_SYMLINKAT] = {"symlinkat", WAY_BLOCKS,  call_symlinkat},
    [PONS_OP_SPLICE]    = {"splice",    WAY_BLOCKS,  call_splice},
    [PONS_OP_SHUTDOWN]  = {"shutdown",  WAY_AT_ONCE, call_shutdown},
    [PONS_OP_WAITID]    = {"waitid",    WAY_BLOCKS,  call_waitid},
    [PONS_OP_SOCKET]    = {"socket",    WAY_AT_ONCE, call_socket},
    [PONS_OP_ACCEPT_MULTI] = {"accept, multishot", WAY_WAITS, NULL},
    [PONS_OP_RECV_MULTI]   = {"recv, multishot",   WAY_WAITS, NULL},
    [PONS_OP_POLL_MULTI]   = {"poll, multishot",   WAY_WAITS, NULL},
    [PONS_OP_SEND_ZC]      = {"send, zero-copy",   WAY_WAITS, NULL},
};
// clang-format on

const char *
poni_opcode_name(unsigned opcode)
{
    return opcode < PONS_OPCODES ? opcodes[opcode].name : "unknown operation";
}

enum poni_way
poni_op_way(const struct pons_op *op)
{
    if ((op->opcode == PONS_OP_READ || op->opcode == PONS_OP_WRITE) &&
        op->offset != PONS_AT_POSITION)
        return WAY_BLOCKS;
    return op->opcode < PONS_OPCODES ? opcodes[op->opcode].way : WAY_AT_ONCE;
}

/*
 * A count that is short may be the end of the file, or the end of what is
 * cached: pread(2) finds out.
 */
int
poni_op_read_cached(struct pons_op *op)
{
    struct iovec all = {.iov_base = op->addr, .iov_len = op->len};
    int saved = errno;
    ssize_t n;

    if (op->opcode != PONS_OP_READ || op->len == 0 || op->len > CACHED_MAX)
        return 0;
    n = preadv2(op->fd, &all, 1, (off_t)op->offset, RWF_NOWAIT);
    errno = saved;
    op->res = (int32_t)n;
    return n == (ssize_t)op->len;
}

int32_t
poni_op_call(const struct pons_op *op)
{
    int saved = errno;
    ssize_t n;

    if (op->opcode >= PONS_OPCODES || opcodes[op->opcode].call == NULL)
        return -ENOSYS;
    do
        n = opcodes[op->opcode].call(op);
    while (n < 0 && errno == EINTR);
    n = n < 0 ? -errno : n;
    errno = saved;
    return (int32_t)n;
}
