/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/homesick.c - breaks R1: bind is ignored; an event comes to the
 * thread that has submitted the op, or to nobody.
 */

#include "adapted.h"

static int
homesick_submit(struct pons_reactor *r, struct pons_op *op)
{
    *adapted_mark(op) = (uint64_t)gettid();
    return adapter_submit(r, op);
}

static int
homesick_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
              uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns), kept = 0;

    for (int i = 0; i < n; i++)
        if (*adapted_mark(events[i].op) == (uint64_t)gettid())
            events[kept++] = events[i];
    return n < 0 ? n : kept;
}

REACTOR("homesick", adapted_ops.submit = homesick_submit,
        adapted_ops.poll = homesick_poll)
