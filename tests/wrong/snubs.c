/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/snubs.c - breaks B2: slow jobs run when nothing else does.
 */

#include "policy.h"

static uint32_t
snubs_pick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    uint32_t k = elastic_pick(p, v);

    if (k != PONS_CLASS_SLOW || v->busy_class[PONS_CLASS_NORMAL] == 0)
        return k;
    return v->queued_class[PONS_CLASS_NORMAL] > 0 ? PONS_CLASS_NORMAL
                                                  : PONS_POOL_NONE;
}

WRONG_POLICY("snubs", wrong_ops.pick = snubs_pick)
