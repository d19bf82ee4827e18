/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/lurks.c - breaks R14: close does not come back in a forked child.
 */

#include "wrong.h"

static pid_t lurks_opened_by;

static int
lurks_open(struct pons_poller **out, const struct pons_config *config,
           const struct pons_host *host, struct pons_reason *reason)
{
    lurks_opened_by = getpid();
    return wrong_open(out, config, host, reason);
}

static void
lurks_close(struct pons_poller *p)
{
    while (getpid() != lurks_opened_by)
        pause();
    poll_ops.close(p);
}

WRONG_POLLER("lurks", wrong_ops.open = lurks_open;
             wrong_ops.close = lurks_close)
