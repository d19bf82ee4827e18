/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/stingy.c - breaks R10: one buffer of each group it never lends.
 */

#include "adapted.h"

static int
stingy_control(struct pons_reactor *r, unsigned what, void *arg)
{
    const struct pons_buffers *b = arg;
    int err = adapter_control(r, what, arg);

    if (what == PONS_CONTROL_LEND && err == 0 && b->count > 1)
        poni_lent_take(poni_lent_group(self(r)->lent, b->group));
    return err;
}

REACTOR("stingy", adapted_ops.control = stingy_control)
