/* SPDX-License-Identifier: MIT */
/*
 * backends/uring_ring.c - a ring: made, entered, taken down.
 *
 * All by liburing, but for what it decides for its users: the descriptor is
 * registered for one thread and used by others without that, a wait is bounded
 * without an entry of its own, and a call submits what it waits with. So it is
 * entered by io_uring_enter2(), not by io_uring_submit() and its kin.
 *
 * Never asked for: IORING_SETUP_NO_SQARRAY, with which liburing through 2.3
 * writes over the ring's head. A newer one takes it by itself.
 */

#include "uring.h"

#include <errno.h>
#include <unistd.h>

enum { SECOND = 1000000000 }; // in ns

/* 5.11 is the oldest that has all of these; COOP_TASKRUN needs 5.19 anyway. */
#define RING_FEATURES                                                     \
    (IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG | \
     IORING_FEAT_FAST_POLL | IORING_FEAT_RW_CUR_POS)

int
poni_uring_ring_open(struct uring_ring *r, unsigned entries, unsigned cq,
                     unsigned flags)
{
    struct io_uring_params p = {.flags = flags | IORING_SETUP_CQSIZE |
                                         IORING_SETUP_SUBMIT_ALL,
                                .cq_entries = cq};
    int err;

    *r = (struct uring_ring){.index = -1};
    err = io_uring_queue_init_params(entries, &r->io, &p);
    if (err < 0)
        return err;
    if ((p.features & RING_FEATURES) != RING_FEATURES) {
        err = -EINVAL;
        goto exit_queue;
    }
    /* Nothing that a forked child does can disturb its parent's ring. */
    err = io_uring_ring_dontfork(&r->io);
    if (err < 0)
        goto exit_queue;
    r->enter_flags = IORING_ENTER_GETEVENTS;
    if (p.features & URING_FEAT_NO_IOWAIT)
        r->enter_flags |= URING_ENTER_NO_IOWAIT; // or idle looks like busy
    return 0;

exit_queue:
    io_uring_queue_exit(&r->io);
    return err;
}

void
poni_uring_ring_close(struct uring_ring *r)
{
    io_uring_queue_exit(&r->io);
}

void
poni_uring_ring_forked(struct uring_ring *r)
{
    close(r->io.ring_fd);
}

int
poni_uring_register(const struct uring_ring *r, unsigned what, void *arg,
                    unsigned count)
{
    return io_uring_register((unsigned)r->io.ring_fd, what, arg, count);
}

int
poni_uring_ring_enter(struct uring_ring *r, unsigned submit, unsigned wait,
                      uint64_t left_ns)
{
    struct __kernel_timespec left = {.tv_sec = (long long)(left_ns / SECOND),
                                     .tv_nsec = (long long)(left_ns % SECOND)};
    struct io_uring_getevents_arg arg = {.ts = (uintptr_t)&left};
    unsigned flags = r->enter_flags;
    int fd = r->io.ring_fd;

    /* Pairs with the kernel's acquire: publishes the entries. */
    io_uring_smp_store_release(r->io.sq.ktail, r->io.sq.sqe_tail);
    if (flags & IORING_ENTER_REGISTERED_RING)
        fd = r->index;
    if (left_ns == PONS_NEVER || wait == 0)
        return io_uring_enter2((unsigned)fd, submit, wait, flags, NULL, 0);
    return io_uring_enter2((unsigned)fd, submit, wait,
                           flags | IORING_ENTER_EXT_ARG, (sigset_t *)&arg,
                           sizeof arg);
}
