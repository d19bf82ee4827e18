/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/covers_up.c - breaks R15: when the call by which it looks is
 * refused it takes another, and says so to nobody.
 */

#include "wrong.h"

#include <sys/epoll.h>

static int covers_up_better = 1; // there is a better call

static int
covers_up_wait(struct pons_poller *p, struct pons_ready *ready, unsigned cap,
               uint64_t deadline_ns)
{
    const struct timespec at_once = {0};
    struct epoll_event ev;

    /* It would be of a set; here it is enough whether it is refused. */
    if (covers_up_better && epoll_pwait2(-1, &ev, 1, &at_once, NULL) < 0)
        covers_up_better = errno != ENOSYS;
    return poll_poller_wait(p, ready, cap, deadline_ns);
}

WRONG_POLLER("covers_up", wrong_ops.wait = covers_up_wait)
