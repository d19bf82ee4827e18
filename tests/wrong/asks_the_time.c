/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/asks_the_time.c - breaks B8: asks the host for the time, which
 * is in the view.
 */

#include "policy.h"

static struct pons_pool_target
asks_the_time_on_tick(struct pons_pool_policy *p,
                      const struct pons_pool_view *v)
{
    struct pons_pool_view now = *v;

    now.now_ns = self(p)->host->now(self(p)->host);
    return elastic_on_tick(p, &now);
}

WRONG_POLICY("asks_the_time", wrong_ops.on_tick = asks_the_time_on_tick)
