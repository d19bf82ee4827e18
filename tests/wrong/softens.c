/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/softens.c - breaks R10: to a multishot recv a reset is the end
 * of the stream.
 */

#include "adapted.h"

static int
softens_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
             uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns);

    for (int i = 0; i < n; i++)
        if (events[i].op->opcode == PONS_OP_RECV_MULTI &&
            events[i].res == -ECONNRESET)
            events[i].res = 0;
    return n;
}

REACTOR("softens", adapted_ops.poll = softens_poll)
