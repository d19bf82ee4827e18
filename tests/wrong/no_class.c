/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/no_class.c - breaks B6: jobs are queued in a class that there is
 * not.
 */

#include "policy.h"

static struct pons_pool_admission
no_class_on_submit(struct pons_pool_policy *p, const struct pons_pool_view *v,
                   const struct pons_job *job)
{
    struct pons_pool_admission a = elastic_on_submit(p, v, job);

    a.klass += PONS_CLASSES;
    return a;
}

WRONG_POLICY("no_class", wrong_ops.on_submit = no_class_on_submit)
