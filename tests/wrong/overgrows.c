/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/overgrows.c - breaks B1: a thread for each job, whatever the
 * limit is.
 */

#include "policy.h"

static struct pons_pool_target
overgrows_on_tick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    struct pons_pool_target want = elastic_on_tick(p, v);

    if (v->idle == 0)
        want.threads = v->threads + 1;
    return want;
}

WRONG_POLICY("overgrows", wrong_ops.on_tick = overgrows_on_tick)
