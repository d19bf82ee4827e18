/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/interrupted.c - breaks R7: a signal ends wait.
 */

#include "wrong.h"

static int
interrupted_wait(struct pons_poller *base, struct pons_ready *ready,
                 unsigned cap, uint64_t deadline_ns)
{
    struct poll_poller *p = self(base);
    uint64_t rings;
    int n;

    do
        n = poll(p->fds, p->count, poll_timeout_ms(p, deadline_ns));
    while (n == 0 && !poll_is_late(p, deadline_ns));
    if (n <= 0)
        return n == 0 || errno == EINTR ? 0 : -errno;
    if (p->fds[BELL].revents != 0)
        (void)!read(p->bell, &rings, sizeof rings);
    return (int)poll_fill(p, ready, cap);
}

WRONG_POLLER("interrupted", wrong_ops.wait = interrupted_wait)
