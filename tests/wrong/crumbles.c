/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/crumbles.c - breaks cookie: of a cookie half is kept.
 */

#include "wrong.h"

static int
crumbles_control(struct pons_poller *p, int fd, uint64_t cookie, unsigned had,
                 unsigned want)
{
    return poll_poller_control(p, fd, (uint32_t)cookie, had, want);
}

WRONG_POLLER("crumbles", wrong_ops.control = crumbles_control)
