/* SPDX-License-Identifier: MIT */
#ifndef PONI_ATOMIC_H
#define PONI_ATOMIC_H

/*
 * core/atomic.h - every atomic access of the core goes through these.
 *
 * Public structs hold plain integers (C++ includes them), so the compiler's
 * builtins are used on plain memory. An interleaving explorer has one file to
 * replace. Each use names its partner in a comment where it stands.
 */

#include <stdint.h>

#define poni_load_relaxed(p)     __atomic_load_n(p, __ATOMIC_RELAXED)
#define poni_load_acquire(p)     __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define poni_load_seq(p)         __atomic_load_n(p, __ATOMIC_SEQ_CST)
#define poni_store_relaxed(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)
#define poni_store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define poni_store_seq(p, v)     __atomic_store_n(p, v, __ATOMIC_SEQ_CST)
#define poni_swap(p, v)          __atomic_exchange_n(p, v, __ATOMIC_ACQ_REL)
#define poni_swap_seq(p, v)      __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define poni_add(p, v)           __atomic_fetch_add(p, v, __ATOMIC_ACQ_REL)
#define poni_sub(p, v)           __atomic_fetch_sub(p, v, __ATOMIC_ACQ_REL)
#define poni_add_seq(p, v)       __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST)
#define poni_sub_seq(p, v)       __atomic_fetch_sub(p, v, __ATOMIC_SEQ_CST)
#define poni_or(p, v)            __atomic_fetch_or(p, v, __ATOMIC_ACQ_REL)
#define poni_add_relaxed(p, v)   __atomic_fetch_add(p, v, __ATOMIC_RELAXED)

/* Weak compare-and-swap: *expected is refreshed when it fails. */
#define poni_cas(p, expected, v)                                     \
    __atomic_compare_exchange_n(p, expected, v, 1, __ATOMIC_ACQ_REL, \
                                __ATOMIC_ACQUIRE)
#define poni_cas_seq(p, expected, v)                                 \
    __atomic_compare_exchange_n(p, expected, v, 0, __ATOMIC_SEQ_CST, \
                                __ATOMIC_SEQ_CST)

/* A counter that one thread writes and any thread reads. */
#define poni_count(p) poni_store_relaxed(p, poni_load_relaxed(p) + 1)

/*
 * A full fence, for store-then-load protocols (Dekker). ThreadSanitizer does
 * not model fences; no data is published by one here, so it misses nothing.
 */
static inline void
poni_fence(void)
{
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wtsan"
#endif
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
}

static inline void
poni_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif /* PONI_ATOMIC_H */
