/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/jumpy.c - breaks R7: a signal ends poll.
 */

#include "pretence.h"

static int
jumpy_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
           uint64_t deadline_ns)
{
    struct null_reactor *n = self(r);
    int rung = 0;

    while (n->first == NULL && !null_is_late(n, deadline_ns)) {
        errno = 0;
        rung = null_sleep(n, deadline_ns);
        if (rung != 0 || errno == EINTR)
            break;
    }
    return rung < 0 ? rung : null_take(n, events, cap);
}

PRETENCE("jumpy", pretence_ops.poll = jumpy_poll)
