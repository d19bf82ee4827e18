/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/reserves.c - breaks B6: what is reserved is not zero.
 */

#include "policy.h"

static struct pons_pool_target
reserves_on_tick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    struct pons_pool_target want = elastic_on_tick(p, v);

    want.reserved = want.threads;
    return want;
}

WRONG_POLICY("reserves", wrong_ops.on_tick = reserves_on_tick)
