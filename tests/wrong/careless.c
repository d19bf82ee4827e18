/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/careless.c - breaks R8: wake changes errno.
 */

#include "adapted.h"

static int
careless_wake(struct pons_reactor *r)
{
    int err = adapter_wake(r);

    errno = 0;
    return err;
}

REACTOR("careless", adapted_ops.wake = careless_wake)
