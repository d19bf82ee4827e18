/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/overbids.c - breaks R10: it asks for more buffers than it takes.
 */

#include "adapted.h"

static int
overbids_control(struct pons_reactor *r, unsigned what, void *arg)
{
    struct pons_buffers *b = arg;

    if (what != PONS_CONTROL_LENDING)
        return adapter_control(r, what, arg);
    b->count = 3; // no power of two
    return 0;
}

REACTOR("overbids", adapted_ops.control = overbids_control)
