/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/restless.c - breaks B5: a thread without a job looks again at
 * once.
 */

#include "policy.h"

static uint64_t
restless_on_idle(struct pons_pool_policy *p, const struct pons_pool_view *v,
                 uint64_t parked_ns)
{
    uint64_t park = elastic_on_idle(p, v, parked_ns);

    return park == PONS_POOL_EXIT ? park : 0;
}

WRONG_POLICY("restless", wrong_ops.on_idle = restless_on_idle)
