/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/hands_back.c - breaks B7: slow jobs are run by their submitters.
 */

#include "policy.h"

static struct pons_pool_admission
hands_back_on_submit(struct pons_pool_policy *p, const struct pons_pool_view *v,
                     const struct pons_job *job)
{
    if (job->job_class == PONS_CLASS_SLOW)
        return (struct pons_pool_admission){PONS_POOL_RUN_HERE, 0};
    return elastic_on_submit(p, v, job);
}

WRONG_POLICY("hands_back", wrong_ops.on_submit = hands_back_on_submit)
