/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/keeps_memory.c - breaks R14: each reactor leaves a piece of
 * memory behind.
 */

#include "adapted.h"

static int
keeps_memory_open(struct pons_reactor **out, const struct pons_config *config,
                  const struct pons_host *host, struct pons_reason *reason)
{
    int err = adapted_open(out, config, host, reason);

    if (err == 0)
        (void)host->alloc(host, sizeof(struct pons_op));
    return err;
}

REACTOR("keeps_memory", adapted_ops.open = keeps_memory_open)
