/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/mourns.c - breaks B11: while jobs wait, as it was told last, it
 * keeps what it knows of them, and a pool that ends asks it nothing more.
 */

#include "policy.h"

static uint32_t mourns_queued; // in the latest view

static void
mourns_note(const struct pons_pool_view *v)
{
    mourns_queued =
        v->queued_class[PONS_CLASS_NORMAL] + v->queued_class[PONS_CLASS_SLOW];
}

static struct pons_pool_target
mourns_on_tick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    mourns_note(v);
    return elastic_on_tick(p, v);
}

static uint64_t
mourns_on_idle(struct pons_pool_policy *p, const struct pons_pool_view *v,
               uint64_t parked_ns)
{
    mourns_note(v);
    return elastic_on_idle(p, v, parked_ns);
}

static void
mourns_close(struct pons_pool_policy *p)
{
    if (mourns_queued == 0)
        elastic_close(p);
}

WRONG_POLICY("mourns", wrong_ops.on_tick = mourns_on_tick,
             wrong_ops.on_idle = mourns_on_idle, wrong_ops.close = mourns_close)
