/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/gives_up.c - breaks B4: a thread that the system refused is
 * never asked for again.
 */

#include "policy.h"

static struct pons_pool_target
gives_up_on_tick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    if (v->spawn_refused > 0)
        return (struct pons_pool_target){.threads = v->threads};
    return elastic_on_tick(p, v);
}

WRONG_POLICY("gives_up", wrong_ops.on_tick = gives_up_on_tick)
