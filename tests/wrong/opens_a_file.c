/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/opens_a_file.c - breaks B11: each open keeps a descriptor.
 */

#include "policy.h"

#include <fcntl.h>

static int
opens_a_file_open(struct pons_pool_policy **out,
                  const struct pons_config *config,
                  const struct pons_host *host, struct pons_reason *reason)
{
    if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
        return host->refuse(reason, -errno, "no descriptor is left");
    return elastic_open(out, config, host, reason);
}

WRONG_POLICY("opens_a_file", wrong_ops.open = opens_a_file_open)
