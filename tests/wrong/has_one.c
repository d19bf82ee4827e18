/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/has_one.c - breaks B10: of several policies it knows the latest,
 * and, when any has been closed, none.
 */

#include "policy.h"

static struct pons_pool_policy *has_one;

static int
has_one_open(struct pons_pool_policy **out, const struct pons_config *config,
             const struct pons_host *host, struct pons_reason *reason)
{
    int err = elastic_open(out, config, host, reason);

    if (err == 0)
        has_one = *out;
    return err;
}

static void
has_one_close(struct pons_pool_policy *p)
{
    has_one = NULL;
    elastic_close(p);
}

static uint32_t
has_one_pick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    (void)p;
    return elastic_pick(has_one, v);
}

WRONG_POLICY("has_one", wrong_ops.open = has_one_open,
             wrong_ops.close = has_one_close, wrong_ops.pick = has_one_pick)
