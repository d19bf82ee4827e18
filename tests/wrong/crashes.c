/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/crashes.c - breaks R14: a close that is not the opener's, as in a
 * forked child, has its words and dies.
 */

#include "wrong.h"

#include <stdio.h>
#include <stdlib.h>

static pid_t crashes_opener;

static int
crashes_open(struct pons_poller **out, const struct pons_config *config,
             const struct pons_host *host, struct pons_reason *reason)
{
    crashes_opener = getpid();
    return wrong_open(out, config, host, reason);
}

static void
crashes_close(struct pons_poller *p)
{
    if (getpid() != crashes_opener) {
        fputs("whose child am I?\n\xff no UTF-8\n", stderr);
        abort();
    }
    poll_poller_close(p);
}

WRONG_POLLER("crashes", wrong_ops.open = crashes_open,
             wrong_ops.close = crashes_close)
