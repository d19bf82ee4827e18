/* SPDX-License-Identifier: MIT */
/*
 * cli/descriptors.c - as many open files as this process may have.
 */

#include "descriptors.h"

#include <sys/resource.h>

void
descriptors_allow_all(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); // as it was will do for most
}
