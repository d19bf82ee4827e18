/* SPDX-License-Identifier: MIT */
/*
 * core/lock.c - the slow half of core/lock.h: sleeping and waking.
 */

#include "lock.h"

#include "futex.h"

enum { TRIES = 100 }; // spins before the sleep: the holder is nearly done

void
poni_lock_wait(uint32_t *word)
{
    for (int i = 0; i < TRIES; i++) {
        uint32_t free = LOCK_FREE;

        if (poni_load_relaxed(word) == LOCK_FREE &&
            __atomic_compare_exchange_n(word, &free, LOCK_HELD, 0,
                                        __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return;
        poni_pause();
    }
    /* Acquire pairs with the release in poni_unlock(). */
    while (__atomic_exchange_n(word, LOCK_CONTENDED, __ATOMIC_ACQUIRE) !=
           LOCK_FREE)
        poni_futex_wait(word, LOCK_CONTENDED, UINT64_MAX);
}

void
poni_lock_wake_one(uint32_t *word)
{
    poni_futex_wake(word, 1);
}
