/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/starves.c - breaks B2: slow jobs wait as long as there are
 * others.
 */

#include "policy.h"

static uint32_t
starves_pick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    uint32_t k = elastic_pick(p, v);

    if (k == PONS_POOL_NONE || v->queued_class[PONS_CLASS_NORMAL] == 0)
        return k;
    return PONS_CLASS_NORMAL;
}

WRONG_POLICY("starves", wrong_ops.pick = starves_pick)
