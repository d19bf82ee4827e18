/* SPDX-License-Identifier: MIT */
#ifndef BACKENDS_LIBUV_FILE_H
#define BACKENDS_LIBUV_FILE_H

/*
 * backends/libuv_file.h - ops of files by libuv's threads.
 *
 * There is a request of libuv's for each op under way; they are kept for later
 * ones. Its callback, in a turn of the loop, queues the op for wait().
 *
 * Only what libuv does as the system call does it: names are never relative to
 * a folder there, a statx and an fallocate it does not have. The parts of READV
 * and WRITEV it would copy itself, which crashes where the call says EFAULT,
 * and without their flags.
 *
 * libuv starts its threads with the first request of the process and never ends
 * them. They inherit which signals are blocked, and ours block all.
 */

#include "loop.h"
#include "pons/reactor.h"

#include <pthread.h>
#include <signal.h>
#include <uv.h>

enum {
    LIBUV_FILE_BYTES = 0x7ffff000, // Linux takes no more; libuv would go on
    LIBUV_FILE_OPCODES = 1u << PONS_OP_READ | 1u << PONS_OP_WRITE |
                         1u << PONS_OP_CLOSE | 1u << PONS_OP_FSYNC |
                         1u << PONS_OP_FDATASYNC | 1u << PONS_OP_FTRUNCATE,
};

struct libuv_file {
    uv_fs_t request;
    struct libuv_files *all;
    struct pons_op *op;      // NULL: it has ended
    struct libuv_file *next; // while it is not used
};

struct libuv_files {
    struct loop *base;
    uv_loop_t *loop;
    struct libuv_file *unused;
};

static inline struct libuv_file *
libuv_file_take(struct libuv_files *all)
{
    struct libuv_file *f = all->unused;

    if (f == NULL)
        return all->base->host->alloc(all->base->host, sizeof *f);
    all->unused = f->next;
    return f;
}

static inline void
libuv_file_give(struct libuv_file *f)
{
    f->op = NULL;
    f->next = f->all->unused;
    f->all->unused = f;
}

static inline void
libuv_file_heard(uv_fs_t *request)
{
    struct libuv_file *f =
        pons_container_of(request, struct libuv_file, request);

    f->op->res = (int32_t)request->result;
    loop_ended(f->all->base, f->op);
    uv_fs_req_cleanup(request);
    libuv_file_give(f);
}

/* Where the descriptor stands is offset -1 for libuv, too. */
static inline int
libuv_file_start(struct libuv_file *f, const struct pons_op *op)
{
    uint32_t len = op->len < LIBUV_FILE_BYTES ? op->len : LIBUV_FILE_BYTES;
    uv_buf_t buffer = uv_buf_init(op->addr, len);
    int64_t at = (int64_t)op->offset;
    uv_loop_t *loop = f->all->loop;
    uv_fs_t *request = &f->request;

    switch (op->opcode) {
    case PONS_OP_READ:
        return uv_fs_read(loop, request, op->fd, &buffer, 1, at,
                          libuv_file_heard);
    case PONS_OP_WRITE:
        return uv_fs_write(loop, request, op->fd, &buffer, 1, at,
                           libuv_file_heard);
    case PONS_OP_FSYNC:
        return uv_fs_fsync(loop, request, op->fd, libuv_file_heard);
    case PONS_OP_FDATASYNC:
        return uv_fs_fdatasync(loop, request, op->fd, libuv_file_heard);
    case PONS_OP_FTRUNCATE:
        return uv_fs_ftruncate(loop, request, op->fd, at, libuv_file_heard);
    default:
        return uv_fs_close(loop, request, op->fd, libuv_file_heard);
    }
}

/* An offset that libuv would take for -1. */
static inline int
libuv_file_is_before_0(const struct pons_op *op)
{
    return (op->opcode == PONS_OP_READ || op->opcode == PONS_OP_WRITE) &&
           op->offset > INT64_MAX && op->offset != PONS_AT_POSITION;
}

static inline int
libuv_file_fails(struct pons_op *op, int err)
{
    op->res = err;
    return PONS_SUBMIT_DONE;
}

/* What submit() of a poller answers. */
static inline int
libuv_file_submit(struct libuv_files *all, struct pons_op *op)
{
    struct libuv_file *f;
    sigset_t every, before;
    int err;

    if (libuv_file_is_before_0(op))
        return libuv_file_fails(op, -EINVAL);
    f = libuv_file_take(all);
    if (f == NULL)
        return PONS_SUBMIT_UNSUPPORTED; // the pool needs no memory for it
    f->all = all;
    f->op = op;
    op->backend[1] = (uintptr_t)f;
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    err = libuv_file_start(f, op);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err == 0)
        return PONS_SUBMIT_PENDING;
    libuv_file_give(f);
    return libuv_file_fails(op, err);
}

/* What no thread has begun yet ends with ECANCELED; all else by itself. */
static inline void
libuv_file_cancel(struct pons_op *op)
{
    struct libuv_file *f = (void *)(uintptr_t)op->backend[1];

    if (f->op == op)
        (void)uv_cancel((uv_req_t *)&f->request);
}

static inline void
libuv_file_free_all(struct libuv_files *all)
{
    const struct pons_host *h = all->base->host;

    while (all->unused != NULL) {
        struct libuv_file *f = libuv_file_take(all);

        h->free(h, f, sizeof *f);
    }
}

#endif /* BACKENDS_LIBUV_FILE_H */
