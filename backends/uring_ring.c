/* SPDX-License-Identifier: MIT */
/*
 * backends/uring_ring.c - a ring: made, entered, taken down.
 *
 * Of liburing this takes what its header has: the entries of each operation.
 * The ring itself is made here, for three reasons. Its descriptor is registered
 * for one thread and used by others without that; a wait is bounded without an
 * entry of its own; and libpons needs no further library wherever it goes.
 *
 * The memory is not a forked child's (MADV_DONTFORK): nothing that it does can
 * disturb the parent's ring.
 */

#include "uring.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SECOND = 1000000000 }; // in ns

/* 5.11 is the oldest that has all of these; COOP_TASKRUN needs 5.19 anyway. */
#define RING_FEATURES                                                     \
    (IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG | \
     IORING_FEAT_FAST_POLL | IORING_FEAT_RW_CUR_POS)

int
poni_uring_register(int fd, unsigned what, void *arg, unsigned count)
{
    long n = syscall(SYS_io_uring_register, fd, what, arg, count);

    return n < 0 ? -errno : (int)n;
}

static void *
ring_map(int fd, size_t size, uint64_t offset)
{
    void *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_POPULATE, fd, (off_t)offset);

    if (map == MAP_FAILED)
        return NULL;
    (void)madvise(map, size, MADV_DONTFORK);
    return map;
}

static size_t
ring_size(const struct io_uring_params *p)
{
    size_t sq = p->sq_off.array + p->sq_entries * sizeof(unsigned);
    size_t cq = p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe);

    return sq > cq ? sq : cq;
}

static void
ring_lay_out(struct uring_ring *r, const struct io_uring_params *p)
{
    char *map = r->map;
    unsigned *array = (unsigned *)(map + p->sq_off.array);

    r->sq_head = (unsigned *)(map + p->sq_off.head);
    r->sq_tail = (unsigned *)(map + p->sq_off.tail);
    r->sq_flags = (unsigned *)(map + p->sq_off.flags);
    r->sq_entries = p->sq_entries;
    r->sq_mask = p->sq_entries - 1;
    r->cq_head = (unsigned *)(map + p->cq_off.head);
    r->cq_tail = (unsigned *)(map + p->cq_off.tail);
    r->cq_mask = p->cq_entries - 1;
    r->cqes = (struct io_uring_cqe *)(map + p->cq_off.cqes);
    if (!(p->flags & URING_SETUP_NO_SQARRAY))
        for (unsigned i = 0; i < p->sq_entries; i++)
            array[i] = i;
}

int
poni_uring_ring_open(struct uring_ring *r, unsigned entries, unsigned cq,
                     unsigned flags)
{
    struct io_uring_params p = {.flags = flags | IORING_SETUP_CQSIZE |
                                         IORING_SETUP_SUBMIT_ALL,
                                .cq_entries = cq};
    int err;

    *r = (struct uring_ring){.index = -1};
    r->fd = (int)syscall(SYS_io_uring_setup, entries, &p);
    if (r->fd < 0)
        return -errno;
    if ((p.features & RING_FEATURES) != RING_FEATURES) {
        err = -EINVAL;
        goto close_fd;
    }
    r->map_size = ring_size(&p);
    r->sqes_size = p.sq_entries * sizeof(struct io_uring_sqe);
    r->map = ring_map(r->fd, r->map_size, IORING_OFF_SQ_RING);
    if (r->map == NULL) {
        err = -errno;
        goto close_fd;
    }
    r->sqes = ring_map(r->fd, r->sqes_size, IORING_OFF_SQES);
    if (r->sqes == NULL) {
        err = -errno;
        goto unmap;
    }
    ring_lay_out(r, &p);
    r->enter_flags = IORING_ENTER_GETEVENTS;
    if (p.features & URING_FEAT_NO_IOWAIT)
        r->enter_flags |= URING_ENTER_NO_IOWAIT; // or idle looks like busy
    return 0;

unmap:
    munmap(r->map, r->map_size);
close_fd:
    close(r->fd);
    return err;
}

void
poni_uring_ring_close(struct uring_ring *r)
{
    munmap(r->sqes, r->sqes_size);
    munmap(r->map, r->map_size);
    close(r->fd);
}

void
poni_uring_ring_forked(struct uring_ring *r)
{
    close(r->fd);
}

int
poni_uring_ring_enter(struct uring_ring *r, unsigned submit, unsigned wait,
                      uint64_t left_ns)
{
    struct __kernel_timespec left = {.tv_sec = (long long)(left_ns / SECOND),
                                     .tv_nsec = (long long)(left_ns % SECOND)};
    struct io_uring_getevents_arg arg = {.ts = (uintptr_t)&left};
    unsigned flags = r->enter_flags;
    int fd = r->fd;
    long n;

    /* Pairs with the kernel's acquire: publishes the entries. */
    io_uring_smp_store_release(r->sq_tail, r->tail);
    if (flags & IORING_ENTER_REGISTERED_RING)
        fd = r->index;
    if (left_ns == PONS_NEVER || wait == 0) {
        n = syscall(SYS_io_uring_enter, fd, submit, wait, flags, NULL,
                    (size_t)0);
    } else {
        flags |= IORING_ENTER_EXT_ARG;
        n = syscall(SYS_io_uring_enter, fd, submit, wait, flags, &arg,
                    sizeof arg);
    }
    return n < 0 ? -errno : (int)n;
}
