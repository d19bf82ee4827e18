/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/hesitates.c - breaks B4: a thread is wanted when two jobs wait,
 * so the last one waits behind those that block.
 */

#include "policy.h"

static struct pons_pool_target
hesitates_on_tick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    if (v->queued_class[PONS_CLASS_NORMAL] + v->queued_class[PONS_CLASS_SLOW] <
        2)
        return (struct pons_pool_target){.threads = v->threads};
    return elastic_on_tick(p, v);
}

WRONG_POLICY("hesitates", wrong_ops.on_tick = hesitates_on_tick)
