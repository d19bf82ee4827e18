/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/echoes.c - breaks R8: a wake ends two polls.
 */

#include "adapted.h"

static int
echoes_wake(struct pons_reactor *r)
{
    poni_store_seq(adapted_state(r), 1);
    return adapter_wake(r);
}

static int
echoes_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
            uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns);

    if (n == 0 && poni_swap(adapted_state(r), 0))
        (void)adapter_wake(r);
    return n;
}

REACTOR("echoes", adapted_ops.wake = echoes_wake,
        adapted_ops.poll = echoes_poll)
