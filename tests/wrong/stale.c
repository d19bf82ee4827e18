/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/stale.c - breaks cookie: of a descriptor that is watched
 * already the first cookie stays.
 */

#include "wrong.h"

static int
stale_control(struct pons_poller *base, int fd, uint64_t cookie, unsigned had,
              unsigned want)
{
    const struct poll_poller *p = self(base);

    if (had != 0 && want != 0)
        cookie = p->cookies[poll_find(p, fd)];
    return poll_poller_control(base, fd, cookie, had, want);
}

WRONG_POLLER("stale", wrong_ops.control = stale_control)
