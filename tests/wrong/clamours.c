/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/clamours.c - breaks R7: its pollable descriptor is readable
 * whether or not there is anything to do.
 */

#include "adapted.h"

#include <sys/eventfd.h>

static int
clamours_control(struct pons_reactor *r, unsigned what, void *arg)
{
    uintptr_t *fd = adapted_state(r);

    if (what != PONS_CONTROL_POLLABLE_FD)
        return adapter_control(r, what, arg);
    if (*fd == 0)
        *fd = (uintptr_t)eventfd(1, EFD_CLOEXEC);
    *(int *)arg = (int)*fd;
    return 0;
}

static void
clamours_close(struct pons_reactor *r)
{
    if (*adapted_state(r) != 0)
        close((int)*adapted_state(r));
    adapter_close(r);
}

REACTOR("clamours", adapted_ops.control = clamours_control,
        adapted_ops.close = clamours_close)
