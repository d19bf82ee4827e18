/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/keeps_open.c - breaks R14: each reactor leaves a descriptor
 * open.
 */

#include "adapted.h"

static int
keeps_open_open(struct pons_reactor **out, const struct pons_config *config,
                const struct pons_host *host, struct pons_reason *reason)
{
    int err = adapted_open(out, config, host, reason);

    if (err == 0)
        (void)dup(STDIN_FILENO);
    return err;
}

REACTOR("keeps_open", adapted_ops.open = keeps_open_open)
