/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/lingers.c - breaks R2: notes in an op that its event was given,
 * when it is given the next one.
 */

#include "adapted.h"

static struct pons_op *lingers_last;

static int
lingers_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
             uint64_t deadline_ns)
{
    int n;

    if (lingers_last != NULL)
        lingers_last->res = 0;
    lingers_last = NULL;
    n = adapter_poll(r, events, cap, deadline_ns);
    if (n > 0)
        lingers_last = events[n - 1].op;
    return n;
}

REACTOR("lingers", adapted_ops.poll = lingers_poll)
