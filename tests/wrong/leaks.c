/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/leaks.c - breaks B11: each open keeps a piece of memory.
 */

#include "policy.h"

static int
leaks_open(struct pons_pool_policy **out, const struct pons_config *config,
           const struct pons_host *host, struct pons_reason *reason)
{
    int err = elastic_open(out, config, host, reason);

    if (err == 0)
        (void)host->alloc(host, 1);
    return err;
}

WRONG_POLICY("leaks", wrong_ops.open = leaks_open)
