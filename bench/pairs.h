/* SPDX-License-Identifier: MIT */
#ifndef BENCH_PAIRS_H
#define BENCH_PAIRS_H

/*
 * bench/pairs.h - the sockets of cancel_storm: on each first end somebody
 * waits, into the second nobody writes.
 */

#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "counts.h"
#include "descriptors.h"

static int pairs[STORM_RECEIVERS][2];

/* 0: not that many files may be open, and the case was skipped. `flags` is 0 or
 * SOCK_NONBLOCK. */
static inline int
pairs_open(struct bench_run *r, int flags)
{
    if (!descriptors_want(r, 2 * STORM_RECEIVERS))
        return 0;
    for (unsigned i = 0; i < STORM_RECEIVERS; i++)
        bench_must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0,
                              pairs[i]) == 0,
                   "socketpair");
    return 1;
}

/* Without `both` only the second ends: the first were given away. */
static inline void
pairs_close(int both)
{
    for (unsigned i = 0; i < STORM_RECEIVERS; i++) {
        if (both)
            close(pairs[i][0]);
        close(pairs[i][1]);
    }
}

#endif /* BENCH_PAIRS_H */
