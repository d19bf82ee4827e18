/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/flustered.c - breaks R8: a wake changes errno.
 */

#include "wrong.h"

static int
flustered_wake(struct pons_poller *p)
{
    int err = poll_poller_wake(p);

    errno = EAGAIN;
    return err;
}

WRONG_POLLER("flustered", wrong_ops.wake = flustered_wake)
