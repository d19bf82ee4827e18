/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/sulks.c - breaks B3: once the system has refused a thread, jobs
 * are refused for ever.
 */

#include "policy.h"

static struct pons_pool_admission
sulks_on_submit(struct pons_pool_policy *p, const struct pons_pool_view *v,
                const struct pons_job *job)
{
    struct pons_pool_admission a = elastic_on_submit(p, v, job);

    if (v->spawn_refused > 0)
        a.verdict = PONS_POOL_REFUSE;
    return a;
}

WRONG_POLICY("sulks", wrong_ops.on_submit = sulks_on_submit)
