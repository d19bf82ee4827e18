/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/orders.c - breaks R12: each cancel asks for memory, if only for a
 * moment.
 */

#include "adapted.h"

enum { ORDER = 64 }; // bytes

static void
orders_cancel(struct pons_reactor *r, struct pons_op *op)
{
    void *order = adapted_host->alloc(adapted_host, ORDER);

    adapted_host->free(adapted_host, order, ORDER);
    adapter_cancel(r, op);
}

REACTOR("orders", adapted_ops.cancel = orders_cancel)
