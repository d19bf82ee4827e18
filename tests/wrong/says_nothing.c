/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/says_nothing.c - breaks B10: a refusal has no reason.
 */

#include "policy.h"

static int
says_nothing_open(struct pons_pool_policy **out,
                  const struct pons_config *config,
                  const struct pons_host *host, struct pons_reason *reason)
{
    int err = elastic_open(out, config, host, reason);

    if (err < 0)
        reason->text[0] = '\0';
    return err;
}

WRONG_POLICY("says_nothing", wrong_ops.open = says_nothing_open)
