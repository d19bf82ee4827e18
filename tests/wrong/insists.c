/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/insists.c - breaks level: what is writable is reported, wanted or
 * not.
 */

#include "wrong.h"

static int
insists_control(struct pons_poller *p, int fd, uint64_t cookie, unsigned had,
                unsigned want)
{
    return poll_poller_control(p, fd, cookie, had,
                               want != 0 ? want | PONS_WRITABLE : 0);
}

WRONG_POLLER("insists", wrong_ops.control = insists_control)
