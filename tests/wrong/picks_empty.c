/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/picks_empty.c - breaks B6: if one queue is empty, picks that.
 */

#include "policy.h"

static uint32_t
picks_empty_pick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    uint32_t k = elastic_pick(p, v);

    if (k == PONS_POOL_NONE || v->queued_class[!k] > 0)
        return k;
    return !k;
}

WRONG_POLICY("picks_empty", wrong_ops.pick = picks_empty_pick)
