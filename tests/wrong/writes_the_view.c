/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/writes_the_view.c - breaks B9: marks in the view what it has
 * seen.
 */

#include "policy.h"

static struct pons_pool_target
writes_the_view_on_tick(struct pons_pool_policy *p,
                        const struct pons_pool_view *v)
{
    struct pons_pool_target want = elastic_on_tick(p, v);

    ((struct pons_pool_view *)v)->now_ns = want.not_before_ns;
    return want;
}

WRONG_POLICY("writes_the_view", wrong_ops.on_tick = writes_the_view_on_tick)
