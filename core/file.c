/* SPDX-License-Identifier: MIT */
/*
 * core/file.c - files and their names: each call's arguments into its op.
 */

#include "pons/file.h"

#include "call.h"

enum {
    CALL_LEN_MAX = 0x7ffff000, // what one system call moves on Linux
};

static uint32_t
call_len(size_t size)
{
    return size < CALL_LEN_MAX ? (uint32_t)size : (uint32_t)CALL_LEN_MAX;
}

static struct pons_op *
file_op(struct pons_future *f, enum pons_opcode opcode, int fd)
{
    return poni_call_init(f, opcode, fd, CALL_CANCELS);
}

static void *
borrowed(const void *p)
{
    return (void *)(uintptr_t)p; // the op does not say what is only read
}

/* --- a descriptor --- */

void
pons_openat_init(struct pons_openat *o, int folder, const char *path, int flags,
                 unsigned mode)
{
    struct pons_op *op = file_op(&o->base, PONS_OP_OPENAT, folder);

    op->addr = borrowed(path);
    op->len = mode;
    op->op_flags = (uint32_t)flags;
}

int
pons_openat(int folder, const char *path, int flags, unsigned mode)
{
    struct pons_openat o;

    pons_openat_init(&o, folder, path, flags, mode);
    return (int)poni_call_await(&o.base, "openat");
}

void
pons_close_init(struct pons_close *c, int fd)
{
    (void)poni_call_init(&c->base, PONS_OP_CLOSE, fd, CALL_MASKED);
}

int
pons_close(int fd)
{
    struct pons_close c;

    pons_close_init(&c, fd);
    return (int)poni_call_await(&c.base, "close");
}

/* --- its bytes --- */

/* -1 is refused as pread(2) does, and not the position of the descriptor. */
static uint64_t
bytes_at(int64_t offset)
{
    return (uint64_t)(offset < 0 ? INT64_MIN : offset);
}

static void
bytes_init(struct pons_future *f, enum pons_opcode opcode, int fd,
           const void *buffer, size_t size, int64_t offset)
{
    struct pons_op *op = file_op(f, opcode, fd);

    op->addr = borrowed(buffer);
    op->len = call_len(size);
    op->offset = bytes_at(offset);
}

void
pons_pread_init(struct pons_pread *r, int fd, void *buffer, size_t size,
                int64_t offset)
{
    bytes_init(&r->base, PONS_OP_READ, fd, buffer, size, offset);
}

int64_t
pons_pread(int fd, void *buffer, size_t size, int64_t offset)
{
    struct pons_pread r;

    pons_pread_init(&r, fd, buffer, size, offset);
    return poni_call_await(&r.base, "pread");
}

void
pons_pwrite_init(struct pons_pwrite *w, int fd, const void *buffer, size_t size,
                 int64_t offset)
{
    bytes_init(&w->base, PONS_OP_WRITE, fd, buffer, size, offset);
}

int64_t
pons_pwrite(int fd, const void *buffer, size_t size, int64_t offset)
{
    struct pons_pwrite w;

    pons_pwrite_init(&w, fd, buffer, size, offset);
    return poni_call_await(&w.base, "pwrite");
}

static void
parts_init(struct pons_future *f, enum pons_opcode opcode, int fd,
           const struct iovec *parts, unsigned count, int64_t offset, int flags)
{
    struct pons_op *op = file_op(f, opcode, fd);

    op->addr = borrowed(parts);
    op->len = count;
    op->offset = bytes_at(offset);
    op->op_flags = (uint32_t)flags;
}

void
pons_preadv_init(struct pons_preadv *r, int fd, const struct iovec *parts,
                 unsigned count, int64_t offset, int flags)
{
    parts_init(&r->base, PONS_OP_READV, fd, parts, count, offset, flags);
}

int64_t
pons_preadv(int fd, const struct iovec *parts, unsigned count, int64_t offset,
            int flags)
{
    struct pons_preadv r;

    pons_preadv_init(&r, fd, parts, count, offset, flags);
    return poni_call_await(&r.base, "preadv");
}

void
pons_pwritev_init(struct pons_pwritev *w, int fd, const struct iovec *parts,
                  unsigned count, int64_t offset, int flags)
{
    parts_init(&w->base, PONS_OP_WRITEV, fd, parts, count, offset, flags);
}

int64_t
pons_pwritev(int fd, const struct iovec *parts, unsigned count, int64_t offset,
             int flags)
{
    struct pons_pwritev w;

    pons_pwritev_init(&w, fd, parts, count, offset, flags);
    return poni_call_await(&w.base, "pwritev");
}

void
pons_fsync_init(struct pons_fsync *s, int fd)
{
    (void)file_op(&s->base, PONS_OP_FSYNC, fd);
}

int
pons_fsync(int fd)
{
    struct pons_fsync s;

    pons_fsync_init(&s, fd);
    return (int)poni_call_await(&s.base, "fsync");
}

void
pons_fdatasync_init(struct pons_fdatasync *s, int fd)
{
    (void)file_op(&s->base, PONS_OP_FDATASYNC, fd);
}

int
pons_fdatasync(int fd)
{
    struct pons_fdatasync s;

    pons_fdatasync_init(&s, fd);
    return (int)poni_call_await(&s.base, "fdatasync");
}

void
pons_fallocate_init(struct pons_fallocate *a, int fd, int mode, int64_t offset,
                    int64_t size)
{
    struct pons_op *op = file_op(&a->base, PONS_OP_FALLOCATE, fd);

    op->len = (uint32_t)mode;
    op->offset = (uint64_t)offset;
    op->offset2 = (uint64_t)size;
}

int
pons_fallocate(int fd, int mode, int64_t offset, int64_t size)
{
    struct pons_fallocate a;

    pons_fallocate_init(&a, fd, mode, offset, size);
    return (int)poni_call_await(&a.base, "fallocate");
}

void
pons_ftruncate_init(struct pons_ftruncate *t, int fd, int64_t size)
{
    struct pons_op *op = file_op(&t->base, PONS_OP_FTRUNCATE, fd);

    op->offset = (uint64_t)size;
}

int
pons_ftruncate(int fd, int64_t size)
{
    struct pons_ftruncate t;

    pons_ftruncate_init(&t, fd, size);
    return (int)poni_call_await(&t.base, "ftruncate");
}

void
pons_splice_init(struct pons_splice *s, int from, int64_t from_offset, int to,
                 int64_t to_offset, size_t size, unsigned flags)
{
    struct pons_op *op = file_op(&s->base, PONS_OP_SPLICE, to);

    op->fd2 = from;
    op->offset2 = (uint64_t)from_offset;
    op->offset = (uint64_t)to_offset;
    op->len = call_len(size);
    op->op_flags = flags;
}

int64_t
pons_splice(int from, int64_t from_offset, int to, int64_t to_offset,
            size_t size, unsigned flags)
{
    struct pons_splice s;

    pons_splice_init(&s, from, from_offset, to, to_offset, size, flags);
    return poni_call_await(&s.base, "splice");
}

/* --- names --- */

void
pons_statx_init(struct pons_statx *s, int folder, const char *path, int flags,
                unsigned mask, struct statx *out)
{
    struct pons_op *op = file_op(&s->base, PONS_OP_STATX, folder);

    op->addr = borrowed(path);
    op->addr2 = out;
    op->len = mask;
    op->op_flags = (uint32_t)flags;
}

int
pons_statx(int folder, const char *path, int flags, unsigned mask,
           struct statx *out)
{
    struct pons_statx s;

    pons_statx_init(&s, folder, path, flags, mask, out);
    return (int)poni_call_await(&s.base, "statx");
}

/* From one name to another. */
static void
names_init(struct pons_future *f, enum pons_opcode opcode, int from_folder,
           const char *from, int to_folder, const char *to, unsigned flags)
{
    struct pons_op *op = file_op(f, opcode, from_folder);

    op->addr = borrowed(from);
    op->fd2 = to_folder;
    op->addr2 = borrowed(to);
    op->op_flags = flags;
}

void
pons_renameat_init(struct pons_renameat *r, int from_folder, const char *from,
                   int to_folder, const char *to, unsigned flags)
{
    names_init(&r->base, PONS_OP_RENAMEAT, from_folder, from, to_folder, to,
               flags);
}

int
pons_renameat(int from_folder, const char *from, int to_folder, const char *to,
              unsigned flags)
{
    struct pons_renameat r;

    pons_renameat_init(&r, from_folder, from, to_folder, to, flags);
    return (int)poni_call_await(&r.base, "renameat");
}

void
pons_unlinkat_init(struct pons_unlinkat *u, int folder, const char *path,
                   int flags)
{
    struct pons_op *op = file_op(&u->base, PONS_OP_UNLINKAT, folder);

    op->addr = borrowed(path);
    op->op_flags = (uint32_t)flags;
}

int
pons_unlinkat(int folder, const char *path, int flags)
{
    struct pons_unlinkat u;

    pons_unlinkat_init(&u, folder, path, flags);
    return (int)poni_call_await(&u.base, "unlinkat");
}

void
pons_mkdirat_init(struct pons_mkdirat *m, int folder, const char *path,
                  unsigned mode)
{
    struct pons_op *op = file_op(&m->base, PONS_OP_MKDIRAT, folder);

    op->addr = borrowed(path);
    op->len = mode;
}

int
pons_mkdirat(int folder, const char *path, unsigned mode)
{
    struct pons_mkdirat m;

    pons_mkdirat_init(&m, folder, path, mode);
    return (int)poni_call_await(&m.base, "mkdirat");
}

void
pons_linkat_init(struct pons_linkat *l, int from_folder, const char *from,
                 int to_folder, const char *to, int flags)
{
    names_init(&l->base, PONS_OP_LINKAT, from_folder, from, to_folder, to,
               (unsigned)flags);
}

int
pons_linkat(int from_folder, const char *from, int to_folder, const char *to,
            int flags)
{
    struct pons_linkat l;

    pons_linkat_init(&l, from_folder, from, to_folder, to, flags);
    return (int)poni_call_await(&l.base, "linkat");
}

void
pons_symlinkat_init(struct pons_symlinkat *s, const char *target, int folder,
                    const char *path)
{
    names_init(&s->base, PONS_OP_SYMLINKAT, folder, target, 0, path, 0);
}

int
pons_symlinkat(const char *target, int folder, const char *path)
{
    struct pons_symlinkat s;

    pons_symlinkat_init(&s, target, folder, path);
    return (int)poni_call_await(&s.base, "symlinkat");
}
