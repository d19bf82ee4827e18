/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/asks_memory.c - breaks R12: each op asks for memory, if only
 * for a moment.
 */

#include "adapted.h"

static int
asks_memory_submit(struct pons_reactor *r, struct pons_op *op)
{
    const struct pons_host *h = self(r)->host;
    void *note = h->alloc(h, sizeof *op);

    h->free(h, note, sizeof *op);
    return adapter_submit(r, op);
}

REACTOR("asks_memory", adapted_ops.submit = asks_memory_submit)
