/* SPDX-License-Identifier: MIT */
#ifndef PONI_LOCK_H
#define PONI_LOCK_H

/*
 * core/lock.h - a mutex in one word that may stand in a caller's struct.
 *
 *   0 free    1 held    2 held, and somebody may sleep
 *
 * The algorithm is mutex3 of Ulrich Drepper, "Futexes Are Tricky" (2011). It is
 * held for a few instructions only, never over a call out or a wait. Unlock
 * does not touch the word after it is free, so the last holder may free the
 * memory that the word stands in.
 */

#include <stdint.h>

#include "atomic.h"

enum { LOCK_FREE, LOCK_HELD, LOCK_CONTENDED };

void poni_lock_wait(uint32_t *word); // until it is ours
void poni_lock_wake_one(uint32_t *word);

static inline void
poni_lock(uint32_t *word)
{
    uint32_t free = LOCK_FREE;

    /* Acquire pairs with the release in poni_unlock(). */
    if (!__atomic_compare_exchange_n(word, &free, LOCK_HELD, 0,
                                     __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        poni_lock_wait(word);
}

static inline void
poni_unlock(uint32_t *word)
{
    /* Release publishes what the lock guards to the next holder. */
    if (__atomic_exchange_n(word, LOCK_FREE, __ATOMIC_RELEASE) ==
        LOCK_CONTENDED)
        poni_lock_wake_one(word);
}

#endif /* PONI_LOCK_H */
