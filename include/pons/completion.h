/* SPDX-License-Identifier: MIT */
#ifndef PONS_COMPLETION_H
#define PONS_COMPLETION_H

/*
 * pons/completion.h - a future that somebody else ends, once, with a number.
 *
 *     static struct pons_completion hangup;
 *
 *     static void on_hangup(int signal)
 *     {
 *         (void)pons_completion_complete(&hangup, signal);
 *     }
 *
 *     pons_completion_init(&hangup);
 *     // POSIX: -std=gnu11, or _POSIX_C_SOURCE
 *     sigaction(SIGHUP, &(struct sigaction){.sa_handler = on_hangup}, NULL);
 *     signal = pons_await(&hangup.base);
 *
 * One waits, in any of the ways that a future can be waited for: pons_await(),
 * PONS_AWAIT, pons_spawn_future(), pons_timeout_init().
 *
 * Ownership   The struct is its user's. It stays until the wait has ended and
 *             nobody can call pons_completion_complete() on it any more: the
 *             library has no other hold on it than those two. Who cancels a
 *             wait takes away its completers (a handler, a callback) before the
 *             struct goes, or keeps it.
 *
 * Threads     Completing: any thread and any signal handler, whatever that has
 *             interrupted; it takes no lock, allocates nothing and keeps errno.
 *             It is the only way to wake a task or thread from a signal
 *             handler. Init and the wait: as for every future, one at a time.
 *
 * Failure     As each says.
 */

#include "future.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Its result is what it was completed with, also when the waiter has been
 * cancelled since; -ECANCELED: the wait ended first, and nothing was taken. */
struct pons_completion {
    struct pons_future base;
    int64_t value;           /* the completer's, until it is the result */
    struct pons_waker waker; /* who waits */
    void *seat;              /* where its task is woken */
    uint64_t epoch;          /* of the process that waits */
    uintptr_t reserved[2];
};

PONS_STATIC_ASSERT(sizeof(struct pons_completion) == 96,
                   "ABI: pons_completion");

/* Makes `c` one that nobody has completed. Not while somebody else may have it:
 * before the handler is installed. */
PONS_API void pons_completion_init(struct pons_completion *c);

/*
 * Ends `c` with `result`, before or during the wait. Borrows `c`, and has let
 * go of it when the wait ends.
 *
 * 0; -EALREADY: it was completed before, and this is ignored; -ECANCELED: the
 * wait was cancelled first, nobody gets `result`; -EOWNERDEAD: who waits does
 * so in the parent of this forked process (P10). No sentence is left for
 * pons_last_error().
 *
 * A waiter with wakers of its own (struct pons_waker_ops) has its notify()
 * called from here, and it must then be fit for that.
 */
PONS_API int pons_completion_complete(struct pons_completion *c,
                                      int64_t result);

#ifdef __cplusplus
}
#endif
#endif /* PONS_COMPLETION_H */
