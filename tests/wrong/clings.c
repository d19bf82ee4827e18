/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/clings.c - breaks R1: the first thread that is bound keeps it,
 * and no other may have it.
 */

#include "adapted.h"

static int
clings_bind(struct pons_reactor *r)
{
    uintptr_t *owner = adapted_state(r);

    if (*owner == 0)
        *owner = (uintptr_t)gettid();
    return *owner == (uintptr_t)gettid() ? 0 : -EBUSY;
}

REACTOR("clings", adapted_ops.bind = clings_bind)
