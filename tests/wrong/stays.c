/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/stays.c - breaks B5: takes no notice of its own keepalive.
 */

#include "policy.h"

static uint64_t
stays_on_idle(struct pons_pool_policy *p, const struct pons_pool_view *v,
              uint64_t parked_ns)
{
    if (v->threads <= self(p)->max)
        return PONS_POOL_FOREVER;
    return elastic_on_idle(p, v, parked_ns);
}

WRONG_POLICY("stays", wrong_ops.on_idle = stays_on_idle)
