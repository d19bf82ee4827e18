/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/hoards.c - breaks R12: each op asks for memory, if only for a
 * moment.
 */

#include "adapted.h"

static int
hoards_submit(struct pons_reactor *r, struct pons_op *op)
{
    const struct pons_host *h = self(r)->host;
    void *note = h->alloc(h, sizeof *op);

    if (note != NULL)
        h->free(h, note, sizeof *op);
    return adapter_submit(r, op);
}

REACTOR("hoards", adapted_ops.submit = hoards_submit)
