/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/stutters.c - breaks R3: of several events that are told at once
 * the last is told again.
 */

#include "adapted.h"

static int
stutters_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
              uint64_t deadline_ns)
{
    struct pons_op *again = (struct pons_op *)*adapted_state(r);
    int n;

    if (again != NULL) {
        *adapted_state(r) = 0;
        *events = (struct pons_event){.op = again, .res = again->res};
        return 1;
    }
    n = adapter_poll(r, events, cap, deadline_ns);
    if (n > 1)
        *adapted_state(r) = (uintptr_t)events[n - 1].op;
    return n;
}

REACTOR("stutters", adapted_ops.poll = stutters_poll)
