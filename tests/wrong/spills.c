/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/spills.c - breaks R14: each open leaves a descriptor behind.
 */

#include "adapted.h"

static int
spills_open(struct pons_reactor **out, const struct pons_config *config,
            const struct pons_host *host, struct pons_reason *reason)
{
    int err = adapted_open(out, config, host, reason);

    if (err == 0)
        (void)!eventfd(0, EFD_CLOEXEC);
    return err;
}

REACTOR("spills", adapted_ops.open = spills_open)
