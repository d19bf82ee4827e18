/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/favours.c - breaks R7: what did not fit into the array does not
 * come first the next time.
 */

#include "wrong.h"

static int
favours_wait(struct pons_poller *p, struct pons_ready *ready, unsigned cap,
             uint64_t deadline_ns)
{
    self(p)->start = FIRST;
    return poll_poller_wait(p, ready, cap, deadline_ns);
}

WRONG_POLLER("favours", wrong_ops.wait = favours_wait)
