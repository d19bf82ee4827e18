/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/obliging.c - breaks control: it says yes to files, too.
 */

#include "wrong.h"

static int
obliging_control(struct pons_poller *p, int fd, uint64_t cookie, unsigned had,
                 unsigned want)
{
    int err = poll_poller_control(p, fd, cookie, had, want);

    return err == -EPERM ? 0 : err;
}

WRONG_POLLER("obliging", wrong_ops.control = obliging_control)
