/* SPDX-License-Identifier: MIT */
#ifndef PONI_FUTEX_H
#define PONI_FUTEX_H

/*
 * core/futex.h - the two calls of futex(2) that the core uses, with absolute
 * deadlines of CLOCK_MONOTONIC in ns (UINT64_MAX: none). errno is kept.
 */

#include <errno.h>
#include <linux/futex.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* 0 or -EAGAIN (the word differs), -EINTR, -ETIMEDOUT. May wake spuriously. */
static inline int
poni_futex_wait(uint32_t *word, uint32_t expected, uint64_t deadline_ns)
{
    struct timespec at = {.tv_sec = (time_t)(deadline_ns / 1000000000u),
                          .tv_nsec = (long)(deadline_ns % 1000000000u)};
    int saved = errno, err = 0;

    /* FUTEX_WAIT_BITSET takes an absolute time, FUTEX_WAIT a relative one. */
    if (syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG,
                expected, deadline_ns == UINT64_MAX ? NULL : &at, NULL,
                FUTEX_BITSET_MATCH_ANY) < 0)
        err = -errno;
    errno = saved;
    return err;
}

static inline void
poni_futex_wake(uint32_t *word, int threads)
{
    int saved = errno;

    (void)syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, threads,
                  NULL, NULL, 0);
    errno = saved;
}

#endif /* PONI_FUTEX_H */
