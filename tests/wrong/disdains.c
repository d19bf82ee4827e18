/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/disdains.c - breaks B3: slow jobs are refused, be the pool empty
 * or full.
 */

#include "policy.h"

static struct pons_pool_admission
disdains_on_submit(struct pons_pool_policy *p, const struct pons_pool_view *v,
                   const struct pons_job *job)
{
    if (job->job_class == PONS_CLASS_SLOW)
        return (struct pons_pool_admission){PONS_POOL_REFUSE, 0};
    return elastic_on_submit(p, v, job);
}

WRONG_POLICY("disdains", wrong_ops.on_submit = disdains_on_submit)
