/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/allocates.c - breaks B8: asks for memory with the pool's lock
 * held.
 */

#include "policy.h"

static struct pons_pool_admission
allocates_on_submit(struct pons_pool_policy *p, const struct pons_pool_view *v,
                    const struct pons_job *job)
{
    const struct pons_host *host = self(p)->host;
    void *memory = host->alloc(host, 1);

    host->free(host, memory, 1);
    return elastic_on_submit(p, v, job);
}

WRONG_POLICY("allocates", wrong_ops.on_submit = allocates_on_submit)
