/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/bequeaths.c - breaks R10: close leaves what it knew of buffers.
 */

#include "adapted.h"

static void
bequeaths_close(struct pons_reactor *r)
{
    self(r)->lent = NULL;
    adapter_close(r);
}

REACTOR("bequeaths", adapted_ops.close = bequeaths_close)
