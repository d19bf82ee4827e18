/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/miscounts.c - breaks R2: that a buffer is free is told, and how
 * much of it was sent is not.
 */

#include "lending.h"

static int
miscounts_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
               uint64_t deadline_ns)
{
    int n, kept;

    do {
        n = lending_poll(r, events, cap, deadline_ns);
        kept = 0;
        for (int i = 0; i < n; i++)
            if (events[i].op->opcode != PONS_OP_SEND_ZC ||
                !(events[i].flags & PONS_EVENT_MORE))
                events[kept++] = events[i];
    } while (n > 0 && kept == 0);
    return n > 0 ? kept : n;
}

LENDING("miscounts", adapted_ops.poll = miscounts_poll)
