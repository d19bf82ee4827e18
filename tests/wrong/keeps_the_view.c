/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/keeps_the_view.c - breaks B9: looks into the view of the
 * question before.
 */

#include "policy.h"

static const struct pons_pool_view *volatile keeps_before;

static struct pons_pool_admission
keeps_the_view_on_submit(struct pons_pool_policy *p,
                         const struct pons_pool_view *v,
                         const struct pons_job *job)
{
    keeps_before = v;
    return elastic_on_submit(p, v, job);
}

static uint32_t
keeps_the_view_pick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    if (keeps_before != NULL)
        self(p)->next_launch_ns += keeps_before->now_ns > v->now_ns;
    return elastic_pick(p, v);
}

WRONG_POLICY("keeps_the_view", wrong_ops.on_submit = keeps_the_view_on_submit,
             wrong_ops.pick = keeps_the_view_pick)
