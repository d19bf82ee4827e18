/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/forgets.c - breaks control: of many descriptors the last ones
 * are not watched.
 */

#include "wrong.h"

enum { FORGETS_AFTER = 200 };

static int
forgets_control(struct pons_poller *base, int fd, uint64_t cookie, unsigned had,
                unsigned want)
{
    struct poll_poller *p = self(base);
    int err = poll_poller_control(base, fd, cookie, had, want);

    if (err == 0 && want != 0 && p->count > FORGETS_AFTER)
        p->fds[poll_find(p, fd)].events = 0;
    return err;
}

WRONG_POLLER("forgets", wrong_ops.control = forgets_control)
