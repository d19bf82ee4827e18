/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/lingers.c - breaks R2: the poll after the one that told an
 * op's end still writes to it.
 */

#include "adapted.h"

#define LINGERS_DONE ((struct pons_op *)1)

static int
lingers_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
             uint64_t deadline_ns)
{
    struct pons_op *ended = (struct pons_op *)*adapted_state(r);
    int n;

    /* Once: it has to be found where it does no other harm. */
    if (ended != NULL && ended != LINGERS_DONE) {
        ended->event_flags = 0;
        *adapted_state(r) = (uintptr_t)LINGERS_DONE;
    }
    n = adapter_poll(r, events, cap, deadline_ns);
    if (n > 0 && *adapted_state(r) == 0)
        *adapted_state(r) = (uintptr_t)events[0].op;
    return n;
}

REACTOR("lingers", adapted_ops.poll = lingers_poll)
