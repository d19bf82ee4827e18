/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/spins.c - breaks R12: poll looks all the time instead of
 * sleeping.
 */

#include "adapted.h"

static int
spins_wake(struct pons_reactor *r)
{
    poni_store_seq(adapted_state(r), 1);
    return adapter_wake(r);
}

static int
spins_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
           uint64_t deadline_ns)
{
    const struct pons_host *h = self(r)->host;
    int n;

    do
        n = adapter_poll(r, events, cap, 0);
    while (n == 0 && deadline_ns != 0 && !poni_swap(adapted_state(r), 0) &&
           (deadline_ns == PONS_NEVER || h->now(h) < deadline_ns));
    return n;
}

REACTOR("spins", adapted_ops.wake = spins_wake, adapted_ops.poll = spins_poll)
