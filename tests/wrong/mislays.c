/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/mislays.c - breaks R10: one of 300 buffers that come back is not
 * found again.
 */

#include "adapted.h"

enum { OFTEN = 300 };

static int
mislays_control(struct pons_reactor *r, unsigned what, void *arg)
{
    if (what == PONS_CONTROL_RETURN && ++*adapted_state(r) % OFTEN == 0)
        return 0;
    return adapter_control(r, what, arg);
}

REACTOR("mislays", adapted_ops.control = mislays_control)
