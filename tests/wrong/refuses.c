/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/refuses.c - breaks B3: each third job is refused, whether the
 * pool is full or empty.
 */

#include "policy.h"

static struct pons_pool_admission
refuses_on_submit(struct pons_pool_policy *p, const struct pons_pool_view *v,
                  const struct pons_job *job)
{
    struct pons_pool_admission a = elastic_on_submit(p, v, job);

    if (v->completed % 3 == 2)
        a.verdict = PONS_POOL_REFUSE;
    return a;
}

WRONG_POLICY("refuses", wrong_ops.on_submit = refuses_on_submit)
