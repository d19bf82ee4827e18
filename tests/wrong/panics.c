/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/panics.c - breaks B4: when several jobs come at once it wants no
 * thread for any of them.
 */

#include "policy.h"

static struct pons_pool_target
panics_on_tick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    struct pons_pool_target want = elastic_on_tick(p, v);

    if (v->queued_class[PONS_CLASS_NORMAL] > 1)
        want.threads = v->threads;
    return want;
}

WRONG_POLICY("panics", wrong_ops.on_tick = panics_on_tick)
