/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/runs_here.c - breaks B7: jobs are run by their submitters.
 */

#include "policy.h"

static struct pons_pool_admission
runs_here_on_submit(struct pons_pool_policy *p, const struct pons_pool_view *v,
                    const struct pons_job *job)
{
    struct pons_pool_admission a = elastic_on_submit(p, v, job);

    a.verdict = PONS_POOL_RUN_HERE;
    return a;
}

WRONG_POLICY("runs_here", wrong_ops.on_submit = runs_here_on_submit)
