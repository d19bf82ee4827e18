/* SPDX-License-Identifier: MIT */
#ifndef BENCH_DESCRIPTORS_H
#define BENCH_DESCRIPTORS_H

/*
 * bench/descriptors.h - room for many open files, or the case is skipped.
 */

#include <stdio.h>
#include <sys/resource.h>

#include "bench.h"

/* Whether `count` more may be opened, beside the few that every program has;
 * raises the soft limit where that is what it takes. 0: the case is skipped. */
static inline int
descriptors_want(struct bench_run *r, unsigned count)
{
    enum { OTHERS = 64 };
    struct rlimit limit;
    char reason[128];

    bench_must(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
    if (limit.rlim_cur >= count + OTHERS)
        return 1;
    if (limit.rlim_max >= count + OTHERS) {
        limit.rlim_cur = count + OTHERS;
        if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
            return 1;
    }
    snprintf(reason, sizeof reason,
             "wants %u open files; the hard limit is %llu", count + OTHERS,
             (unsigned long long)limit.rlim_max);
    bench_skip(r, reason);
    return 0;
}

#endif /* BENCH_DESCRIPTORS_H */
