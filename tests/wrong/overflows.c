/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/overflows.c - breaks B3: jobs for which it has no room are no
 * refusals, but the end of the program.
 */

#include "policy.h"

#include <stdlib.h>

enum { ROOM = 5000 };

static struct pons_pool_admission
overflows_on_submit(struct pons_pool_policy *p, const struct pons_pool_view *v,
                    const struct pons_job *job)
{
    if (v->queued_class[job->job_class] == ROOM)
        abort();
    return elastic_on_submit(p, v, job);
}

WRONG_POLICY("overflows", wrong_ops.on_submit = overflows_on_submit)
