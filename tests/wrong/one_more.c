/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/one_more.c - breaks B1: counts from zero, so that there is one
 * thread too many.
 */

#include "policy.h"

static int
one_more_open(struct pons_pool_policy **out, const struct pons_config *config,
              const struct pons_host *host, struct pons_reason *reason)
{
    int err = elastic_open(out, config, host, reason);

    if (err == 0) {
        self(*out)->max++;
        self(*out)->limit++;
    }
    return err;
}

WRONG_POLICY("one_more", wrong_ops.open = one_more_open)
