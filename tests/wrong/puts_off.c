/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/puts_off.c - breaks B2: while a job waits for another, which may
 * be in the queue, threads are to begin in a year.
 */

#include "policy.h"

static struct pons_pool_target
puts_off_on_tick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    struct pons_pool_target want = elastic_on_tick(p, v);

    if (v->waiting > 0)
        want.not_before_ns = v->now_ns + 365 * 86400 * SECOND;
    return want;
}

WRONG_POLICY("puts_off", wrong_ops.on_tick = puts_off_on_tick)
