/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/clenches.c - breaks R15: it wants memory that is locked, and of a
 * system that has none says nothing.
 */

#include "adapted.h"

#include <sys/mman.h>

static int
clenches_open(struct pons_reactor **out, const struct pons_config *config,
              const struct pons_host *host, struct pons_reason *reason)
{
    static char ring[64];

    if (mlock(ring, sizeof ring) < 0)
        return -ENOMEM;
    return adapted_open(out, config, host, reason);
}

REACTOR("clenches", adapted_ops.open = clenches_open)
