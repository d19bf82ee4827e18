/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/postpones.c - breaks B4: threads are to begin in a year.
 */

#include "policy.h"

static struct pons_pool_target
postpones_on_tick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    struct pons_pool_target want = elastic_on_tick(p, v);

    want.not_before_ns = v->now_ns + 365 * 86400 * SECOND;
    return want;
}

WRONG_POLICY("postpones", wrong_ops.on_tick = postpones_on_tick)
