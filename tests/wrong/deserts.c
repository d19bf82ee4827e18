/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/deserts.c - breaks B4: a thread leaves while jobs wait, and the
 * next one, too.
 */

#include "policy.h"

static uint32_t
deserts_pick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    uint32_t busy =
        v->busy_class[PONS_CLASS_NORMAL] + v->busy_class[PONS_CLASS_SLOW];

    return busy > 0 ? PONS_POOL_NONE : elastic_pick(p, v);
}

static uint64_t
deserts_on_idle(struct pons_pool_policy *p, const struct pons_pool_view *v,
                uint64_t parked_ns)
{
    uint32_t queued =
        v->queued_class[PONS_CLASS_NORMAL] + v->queued_class[PONS_CLASS_SLOW];

    return queued > 0 ? PONS_POOL_EXIT : elastic_on_idle(p, v, parked_ns);
}

WRONG_POLICY("deserts", wrong_ops.pick = deserts_pick,
             wrong_ops.on_idle = deserts_on_idle)
