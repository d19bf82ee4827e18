/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/bounded.c - breaks control: it has no room for a descriptor that
 * select(2) has none for.
 */

#include "wrong.h"

#include <sys/select.h>

static int
bounded_control(struct pons_poller *p, int fd, uint64_t cookie, unsigned had,
                unsigned want)
{
    if (fd >= FD_SETSIZE)
        return -EINVAL;
    return poll_poller_control(p, fd, cookie, had, want);
}

WRONG_POLLER("bounded", wrong_ops.control = bounded_control)
