/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/blinks.c - breaks edge: each descriptor is reported once, and
 * then not again until it is added anew.
 */

#include "wrong.h"

static int
blinks_wait(struct pons_poller *p, struct pons_ready *ready, unsigned cap,
            uint64_t deadline_ns)
{
    struct poll_poller *own = self(p);
    int n = poll_poller_wait(p, ready, cap, deadline_ns);

    for (int i = 0; i < n; i++) {
        unsigned entry = FIRST;

        while (own->cookies[entry] != ready[i].cookie)
            entry++;
        own->fds[entry].events = 0;
    }
    return n;
}

WRONG_POLLER("blinks", wrong_ops.wait = blinks_wait,
             wrong_ops.caps = PONS_POLLER_EDGE)
