/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/litters.c - breaks R14: what the first deadline has opened close
 * leaves behind.
 */

#include "adapted.h"

static int
litters_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
             uint64_t deadline_ns)
{
    uintptr_t *timer = adapted_state(r);

    if (deadline_ns != 0 && deadline_ns != PONS_NEVER && *timer == 0)
        *timer = (uintptr_t)eventfd(0, EFD_CLOEXEC);
    return adapter_poll(r, events, cap, deadline_ns);
}

REACTOR("litters", adapted_ops.poll = litters_poll)
