/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/hoards.c - breaks R12: an op costs a piece of memory.
 */

#include "reactor.h"

static const struct pons_host *hoards_host;

static int
hoards_open(struct pons_reactor **out, const struct pons_config *config,
            const struct pons_host *host, struct pons_reason *reason)
{
    hoards_host = host;
    return right_open(out, config, host, reason);
}

static int
hoards_submit(struct pons_reactor *r, struct pons_op *op)
{
    void *memory = hoards_host->alloc(hoards_host, sizeof *op);

    if (memory != NULL)
        hoards_host->free(hoards_host, memory, sizeof *op);
    return right_submit(r, op);
}

WRONG_REACTOR("hoards", wrong_reactor.open = hoards_open,
              wrong_reactor.submit = hoards_submit)
