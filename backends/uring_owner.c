/* SPDX-License-Identifier: MIT */
/*
 * backends/uring_owner.c - which thread has the ring; the move to another one.
 *
 * Completions run on the thread that submitted the op: were they left there,
 * each would interrupt the old owner, or wait for its next timer tick while it
 * computes. So whoever takes the ring over cancels all that is in it, at once,
 * and kicks the old owner, whose part in that is over when its next interrupt
 * is (membarrier(2) makes one). What comes back cancelled without having been
 * asked is submitted again, by the new owner (backends/uring_result.c).
 *
 * The ring's descriptor is registered by its first owner, for itself; another
 * thread uses it plainly. Who has registered it takes that back in close(), if
 * it is the one that closes: otherwise it goes with the thread.
 */

#include "uring.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint64_t owner_threads; // numbered so far; atomic
static _Thread_local uint64_t owner_number;

/* Not the kernel's number, nor an address: those come back with other threads.
 */
uint64_t
poni_uring_thread(void)
{
    /* Relaxed: a number, and nothing that goes with it. */
    if (owner_number == URING_NOBODY)
        owner_number = __atomic_add_fetch(&owner_threads, 1, __ATOMIC_RELAXED);
    return owner_number;
}

static int
owner_membarrier(int command)
{
    return (int)syscall(SYS_membarrier, command, 0, 0);
}

/* Where it is refused, a computing old owner hears of a move at its next timer
 * tick. */
void
poni_uring_prepare(void)
{
    (void)owner_membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
}

/* --- the registered descriptor --- */

static void
owner_register(struct uring *u)
{
    struct io_uring_rsrc_update as = {.offset = UINT32_MAX,
                                      .data = (uint64_t)u->ring.io.ring_fd};

    if (poni_uring_register(&u->ring, IORING_REGISTER_RING_FDS, &as, 1) != 1)
        return;
    u->ring.index = (int)as.offset;
    u->ring.index_thread = u->owner;
}

static void
owner_choose_descriptor(struct uring *u)
{
    if (u->registers && u->ring.index < 0)
        owner_register(u);
    if (u->ring.index >= 0 && u->ring.index_thread == u->owner)
        u->ring.enter_flags |= IORING_ENTER_REGISTERED_RING;
    else
        u->ring.enter_flags &= ~IORING_ENTER_REGISTERED_RING;
}

static void
owner_unregister(struct uring *u)
{
    struct io_uring_rsrc_update as = {.offset = (unsigned)u->ring.index};

    u->ring.enter_flags &= ~IORING_ENTER_REGISTERED_RING;
    if (u->ring.index >= 0 && u->ring.index_thread == poni_uring_thread())
        (void)poni_uring_register(&u->ring, IORING_UNREGISTER_RING_FDS, &as, 1);
}

/* --- owners --- */

/* io-wq's, of this thread; they wait for disks. */
static void
owner_limit_workers(struct uring *u)
{
    unsigned most[2] = {u->workers, 0}; // for files; for what waits for ever
    int err;

    if (u->workers == 0)
        return;
    err = poni_uring_register(&u->ring, IORING_REGISTER_IOWQ_MAX_WORKERS, most,
                              2);
    if (err < 0)
        u->host->log(u->host, PONS_LOG_WARN, "uring",
                     "workers=%u: the kernel keeps its own number: %s",
                     u->workers, strerror(-err));
}

static int
owner_first(struct uring *u, uint64_t me)
{
    if (u->strict) {
        int err = poni_uring_register(&u->ring, IORING_REGISTER_ENABLE_RINGS,
                                      NULL, 0);

        if (err < 0)
            return err;
    }
    u->owner = me;
    owner_choose_descriptor(u);
    owner_limit_workers(u);
    return 0;
}

int
poni_uring_fill_move(struct uring *u)
{
    struct io_uring_sqe *sqe = uring_next_entry(&u->ring);

    if (sqe == NULL)
        return 0;
    io_uring_prep_cancel64(sqe, 0,
                           IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL);
    sqe->user_data = URING_MOVES;
    return 1;
}

static int
owner_submit(struct uring *u)
{
    u->enters++;
    return poni_uring_ring_enter(&u->ring, uring_unsubmitted(&u->ring), 0, 0);
}

/* What the old owner had put into the ring and not submitted goes first. An
 * entry that finds no room is poll()'s to make: u->moves_owed. */
static void
owner_move(struct uring *u, uint64_t me)
{
    u->owner = me;
    u->moves++;
    u->bell_rings = 0; // for this owner
    owner_choose_descriptor(u);
    if (uring_is_full(&u->ring))
        (void)owner_submit(u);
    u->moves_owed = !poni_uring_fill_move(u);
    (void)owner_submit(u);
    (void)owner_membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
}

int
poni_uring_bind(struct uring *u)
{
    uint64_t me = poni_uring_thread();

    if (u->owner == me)
        return 0;
    if (u->owner == URING_NOBODY)
        return owner_first(u, me);
    if (u->strict)
        return -EOPNOTSUPP;
    owner_move(u, me);
    return 0;
}

/* So that nothing of a ring that is closed interrupts this thread later. */
void
poni_uring_leave(struct uring *u)
{
    if (u->owner == poni_uring_thread() && poni_uring_fill_move(u))
        (void)owner_submit(u);
    owner_unregister(u);
}
