/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/inherits.c - breaks R10: a forked child keeps what there was of
 * buffers.
 */

#include "adapted.h"

static void
inherits_forked(struct pons_reactor *r)
{
    self(r)->lent = NULL;
    adapter_forked(r);
}

REACTOR("inherits", adapted_ops.forked = inherits_forked)
