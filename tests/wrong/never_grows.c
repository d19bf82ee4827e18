/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/never_grows.c - breaks B4: wants no thread; the core starts the
 * one that it must.
 */

#include "policy.h"

static struct pons_pool_target
never_grows_on_tick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    (void)p;
    (void)v;
    return (struct pons_pool_target){.threads = 0};
}

WRONG_POLICY("never_grows", wrong_ops.on_tick = never_grows_on_tick)
