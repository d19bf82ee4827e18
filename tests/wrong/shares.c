/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/shares.c - breaks B10: there is one policy, for whoever opens
 * it.
 */

#include "policy.h"

static struct elastic *shares_one;
static unsigned shares_times;

static int
shares_open(struct pons_pool_policy **out, const struct pons_config *config,
            const struct pons_host *host, struct pons_reason *reason)
{
    if (shares_times == 0) {
        int err = elastic_open(out, config, host, reason);

        if (err < 0)
            return err;
        shares_one = self(*out);
    }
    shares_times++;
    *out = &shares_one->base;
    return 0;
}

static void
shares_close(struct pons_pool_policy *p)
{
    if (--shares_times == 0)
        elastic_close(p);
}

WRONG_POLICY("shares", wrong_ops.open = shares_open,
             wrong_ops.close = shares_close)
