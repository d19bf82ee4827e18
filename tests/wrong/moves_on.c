/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/moves_on.c - breaks R2: an op that had to wait to send says
 * afterwards what would be next.
 */

#include "adapted.h"

static int
moves_on_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
              uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns);

    for (int i = 0; i < n; i++) {
        struct pons_op *op = events[i].op;

        if (op->opcode != PONS_OP_SEND || events[i].res <= 0)
            continue;
        op->addr = (char *)op->addr + events[i].res;
        op->len -= (uint32_t)events[i].res;
    }
    return n;
}

REACTOR("moves_on", adapted_ops.poll = moves_on_poll)
