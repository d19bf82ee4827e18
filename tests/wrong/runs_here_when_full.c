/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/runs_here_when_full.c - breaks B7: jobs for which there is no
 * thread are run by their submitters.
 */

#include "policy.h"

static struct pons_pool_admission
runs_here_when_full_on_submit(struct pons_pool_policy *p,
                              const struct pons_pool_view *v,
                              const struct pons_job *job)
{
    struct pons_pool_admission a = elastic_on_submit(p, v, job);

    if (v->idle == 0 && v->threads == self(p)->max)
        a.verdict = PONS_POOL_RUN_HERE;
    return a;
}

WRONG_POLICY("runs_here_when_full",
             wrong_ops.on_submit = runs_here_when_full_on_submit)
