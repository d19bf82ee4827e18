/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/presumes.c - breaks R8: a wake by the owner itself, who is inside
 * poll, is thought to be needless: but a signal handler may have come in
 * between.
 */

#include "adapted.h"

static int
presumes_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
              uint64_t deadline_ns)
{
    int n;

    *(volatile uintptr_t *)adapted_state(r) = (uintptr_t)gettid();
    n = adapter_poll(r, events, cap, deadline_ns);
    *(volatile uintptr_t *)adapted_state(r) = 0;
    return n;
}

static int
presumes_wake(struct pons_reactor *r)
{
    if (*(volatile uintptr_t *)adapted_state(r) == (uintptr_t)gettid())
        return 0;
    return adapter_wake(r);
}

REACTOR("presumes", adapted_ops.poll = presumes_poll,
        adapted_ops.wake = presumes_wake)
