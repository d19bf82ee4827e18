/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/hushes.c - breaks R7: its pollable descriptor tells of nothing.
 */

#include "adapted.h"

#include <sys/eventfd.h>

static int
hushes_control(struct pons_reactor *r, unsigned what, void *arg)
{
    uintptr_t *fd = adapted_state(r);

    if (what != PONS_CONTROL_POLLABLE_FD)
        return adapter_control(r, what, arg);
    if (*fd == 0)
        *fd = (uintptr_t)eventfd(0, EFD_CLOEXEC);
    *(int *)arg = (int)*fd;
    return 0;
}

static void
hushes_close(struct pons_reactor *r)
{
    if (*adapted_state(r) != 0)
        close((int)*adapted_state(r));
    adapter_close(r);
}

REACTOR("hushes", adapted_ops.control = hushes_control,
        adapted_ops.close = hushes_close)
