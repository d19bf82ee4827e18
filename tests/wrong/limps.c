/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/limps.c - breaks R15: when the call by which it looks is refused
 * it takes another, as it declares, and that knows no new descriptors.
 */

#include "wrong.h"

#include <sys/epoll.h>

static int limps_already;
static int limps_last; // the highest descriptor that it knows

static int
limps_control(struct pons_poller *p, int fd, uint64_t cookie, unsigned had,
              unsigned want)
{
    if (limps_already && fd > limps_last)
        return 0;
    if (fd > limps_last)
        limps_last = fd;
    return poll_poller_control(p, fd, cookie, had, want);
}

static int
limps_wait(struct pons_poller *p, struct pons_ready *ready, unsigned cap,
           uint64_t deadline_ns)
{
    struct epoll_event ev;

    /* It would be of a set; here it is enough whether it is refused. */
    if (!limps_already && epoll_pwait(-1, &ev, 1, 0, NULL) < 0)
        limps_already = errno == ENOSYS;
    return poll_poller_wait(p, ready, cap, deadline_ns);
}

WRONG_POLLER("limps", wrong_ops.control = limps_control,
             wrong_ops.wait = limps_wait, wrong_ops.caps = PONS_POLLER_WRAPS)
