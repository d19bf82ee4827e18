/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/retains.c - breaks R14: a poller's close leaves a descriptor.
 */

#include "wrong.h"

static void
retains_close(struct pons_poller *p)
{
    self(p)->bell = -1;
    poll_ops.close(p);
}

WRONG_POLLER("retains", wrong_ops.close = retains_close)
