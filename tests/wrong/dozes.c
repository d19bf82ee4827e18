/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/dozes.c - breaks B8: waits a little with the pool's lock held.
 */

#include "policy.h"

#include <unistd.h>

static uint64_t
dozes_on_idle(struct pons_pool_policy *p, const struct pons_pool_view *v,
              uint64_t parked_ns)
{
    usleep(1);
    return elastic_on_idle(p, v, parked_ns);
}

WRONG_POLICY("dozes", wrong_ops.on_idle = dozes_on_idle)
