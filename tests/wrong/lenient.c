/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/lenient.c - breaks R10: of three buffers it lends two, and says
 * nothing.
 */

#include "adapted.h"

static int
lenient_control(struct pons_reactor *r, unsigned what, void *arg)
{
    struct pons_buffers b;

    if (what != PONS_CONTROL_LEND)
        return adapter_control(r, what, arg);
    b = *(struct pons_buffers *)arg;
    if (b.count == 3)
        b.count = 2;
    return adapter_control(r, what, &b);
}

REACTOR("lenient", adapted_ops.control = lenient_control)
