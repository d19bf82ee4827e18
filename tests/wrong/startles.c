/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/startles.c - breaks R7: a signal ends a wait.
 */

#include "wrong.h"

static int
startles_wait(struct pons_poller *p, struct pons_ready *ready, unsigned cap,
              uint64_t deadline_ns)
{
    const struct poll_poller *own = self(p);
    int ms = poll_timeout_ms(own, deadline_ns);

    if (poll(own->fds, own->count, ms) < 0 && errno == EINTR)
        return 0;
    return poll_poller_wait(p, ready, cap, deadline_ns);
}

WRONG_POLLER("startles", wrong_ops.wait = startles_wait)
