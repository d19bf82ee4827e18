/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/holds_back.c - breaks B4: one job at a time is enough.
 */

#include "policy.h"

static uint32_t
holds_back_pick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    uint32_t busy =
        v->busy_class[PONS_CLASS_NORMAL] + v->busy_class[PONS_CLASS_SLOW];

    return busy > 0 ? PONS_POOL_NONE : elastic_pick(p, v);
}

WRONG_POLICY("holds_back", wrong_ops.pick = holds_back_pick)
