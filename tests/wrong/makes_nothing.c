/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/makes_nothing.c - breaks R15: open refuses, and answers 0.
 */

#include "wrong.h"

static int
makes_nothing_open(struct pons_poller **out, const struct pons_config *config,
                   const struct pons_host *host, struct pons_reason *reason)
{
    (void)config;
    *out = NULL;
    host->refuse(reason, -EPERM, "not today");
    return 0;
}

WRONG_POLLER("makes_nothing", wrong_ops.open = makes_nothing_open)
