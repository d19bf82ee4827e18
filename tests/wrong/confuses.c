/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/confuses.c - breaks cookie: half of one is lost.
 */

#include "wrong.h"

static int
confuses_wait(struct pons_poller *p, struct pons_ready *ready, unsigned cap,
              uint64_t deadline_ns)
{
    int n = poll_poller_wait(p, ready, cap, deadline_ns);

    for (int i = 0; i < n; i++)
        ready[i].cookie = (uint32_t)ready[i].cookie;
    return n;
}

WRONG_POLLER("confuses", wrong_ops.wait = confuses_wait)
