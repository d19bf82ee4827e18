/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/picks_none.c - breaks B6: waits for a second job where nobody
 * runs the first.
 */

#include "policy.h"

static uint32_t
picks_none_pick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    uint32_t queued =
        v->queued_class[PONS_CLASS_NORMAL] + v->queued_class[PONS_CLASS_SLOW];

    if (queued == 1 && v->threads == v->idle)
        return PONS_POOL_NONE;
    return elastic_pick(p, v);
}

WRONG_POLICY("picks_none", wrong_ops.pick = picks_none_pick)
