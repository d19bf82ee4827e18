/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/condones.c - breaks R10: a buffer may be returned that was not
 * lent.
 */

#include "adapted.h"

static int
condones_control(struct pons_reactor *r, unsigned what, void *arg)
{
    int err = adapter_control(r, what, arg);

    return what == PONS_CONTROL_RETURN ? 0 : err;
}

REACTOR("condones", adapted_ops.control = condones_control)
