/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/drips.c - breaks R12: each op leaves a piece of malloc's
 * memory behind.
 */

#include "adapted.h"

#include <stdlib.h>

static void *volatile drips_last;

static int
drips_submit(struct pons_reactor *r, struct pons_op *op)
{
    drips_last = malloc(sizeof *op);
    return adapter_submit(r, op);
}

REACTOR("drips", adapted_ops.submit = drips_submit)
