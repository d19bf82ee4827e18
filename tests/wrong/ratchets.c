/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/ratchets.c - breaks B1: once the system has refused a thread, it
 * wants one more than there may be.
 */

#include "policy.h"

static struct pons_pool_target
ratchets_on_tick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    struct pons_pool_target want = elastic_on_tick(p, v);

    if (v->spawn_refused > 0)
        want.threads = self(p)->max + 1;
    return want;
}

WRONG_POLICY("ratchets", wrong_ops.on_tick = ratchets_on_tick)
