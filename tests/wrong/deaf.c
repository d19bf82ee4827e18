/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/deaf.c - breaks error: a hang-up is readable, and never writable.
 */

#include "wrong.h"

static int
deaf_wait(struct pons_poller *p, struct pons_ready *ready, unsigned cap,
          uint64_t deadline_ns)
{
    const struct poll_poller *own = self(p);
    int n = poll_poller_wait(p, ready, cap, deadline_ns), kept = 0;

    for (int i = 0; i < n; i++) {
        unsigned entry = FIRST;

        while (own->cookies[entry] != ready[i].cookie)
            entry++;
        if (own->fds[entry].revents & POLLERR)
            ready[i].ready &= ~(uint32_t)PONS_WRITABLE;
        if (ready[i].ready != 0)
            ready[kept++] = ready[i];
    }
    return kept;
}

WRONG_POLLER("deaf", wrong_ops.wait = deaf_wait)
