/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/opens_nothing.c - breaks B10: open makes nothing, and answers 0.
 */

#include "policy.h"

static int
opens_nothing_open(struct pons_pool_policy **out,
                   const struct pons_config *config,
                   const struct pons_host *host, struct pons_reason *reason)
{
    (void)out;
    (void)config;
    (void)host;
    (void)reason;
    return 0;
}

WRONG_POLICY("opens_nothing", wrong_ops.open = opens_nothing_open)
