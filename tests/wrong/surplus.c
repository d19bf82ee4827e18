/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/surplus.c - breaks B1: threads that come back from waiting stay,
 * though there are too many.
 */

#include "policy.h"

static uint64_t
surplus_on_idle(struct pons_pool_policy *p, const struct pons_pool_view *v,
                uint64_t parked_ns)
{
    uint64_t park = elastic_on_idle(p, v, parked_ns);

    return v->threads > self(p)->max ? PONS_POOL_FOREVER : park;
}

WRONG_POLICY("surplus", wrong_ops.on_idle = surplus_on_idle)
