/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/takes_back.c - breaks R5: a SEND_ZC that is cancelled after it
 * has told its count is -ECANCELED all the same.
 */

#include "lending.h"

enum { TAKEN_BACK = END_NEXT + 1 };

static void
takes_back_cancel(struct pons_reactor *r, struct pons_op *op)
{
    if (op->opcode == PONS_OP_SEND_ZC && *adapted_mark(op) == END_NEXT)
        op->res = TAKEN_BACK;
    lending_cancel(r, op);
}

static int
takes_back_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
                uint64_t deadline_ns)
{
    int n = lending_poll(r, events, cap, deadline_ns);

    for (int i = 0; i < n; i++)
        if (events[i].op->opcode == PONS_OP_SEND_ZC && events[i].flags == 0 &&
            events[i].op->res == TAKEN_BACK)
            events[i].res = -ECANCELED;
    return n;
}

LENDING("takes_back", adapted_ops.cancel = takes_back_cancel,
        adapted_ops.poll = takes_back_poll)
