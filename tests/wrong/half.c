/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/half.c - breaks error: an error is told to readers only.
 */

#include "wrong.h"

static int
half_is_bad(const struct poll_poller *p, uint64_t cookie)
{
    for (unsigned i = FIRST; i < p->count; i++)
        if (p->cookies[i] == cookie)
            return (p->fds[i].revents & (POLLERR | POLLHUP)) != 0;
    return 0;
}

static int
half_wait(struct pons_poller *p, struct pons_ready *ready, unsigned cap,
          uint64_t deadline_ns)
{
    int n = poll_poller_wait(p, ready, cap, deadline_ns);

    for (int i = 0; i < n; i++)
        if (half_is_bad(self(p), ready[i].cookie) &&
            ready[i].ready == (PONS_READABLE | PONS_WRITABLE))
            ready[i].ready = PONS_READABLE;
    return n;
}

WRONG_POLLER("half", wrong_ops.wait = half_wait)
