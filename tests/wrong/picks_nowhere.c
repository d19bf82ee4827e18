/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/picks_nowhere.c - breaks B6: picks a class that there is not, for
 * ever.
 */

#include "policy.h"

static uint32_t
picks_nowhere_pick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    uint32_t k = elastic_pick(p, v);

    return k == PONS_POOL_NONE ? k : 99;
}

WRONG_POLICY("picks_nowhere", wrong_ops.pick = picks_nowhere_pick)
