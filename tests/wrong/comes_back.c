/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/comes_back.c - breaks B1: forgets that threads come back from
 * waiting: they stay, and take jobs.
 */

#include "policy.h"

static uint32_t
comes_back_pick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    struct elastic *e = self(p);
    uint32_t max = e->max, k;

    e->max = UINT32_MAX;
    k = elastic_pick(p, v);
    e->max = max;
    return k;
}

WRONG_POLICY("comes_back", wrong_ops.pick = comes_back_pick)
