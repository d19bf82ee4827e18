/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/aborts.c - breaks B10: a limit below another ends the program.
 */

#include "policy.h"

#include <stdlib.h>

static int
aborts_open(struct pons_pool_policy **out, const struct pons_config *config,
            const struct pons_host *host, struct pons_reason *reason)
{
    int err = elastic_open(out, config, host, reason);

    if (err == -EINVAL)
        abort();
    return err;
}

WRONG_POLICY("aborts", wrong_ops.open = aborts_open)
