/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/trails_off.c - breaks R10: after the end of a stream a multishot
 * recv says that there is more.
 */

#include "adapted.h"

static int
trails_off_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
                uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns);

    for (int i = 0; i < n; i++)
        if (events[i].op->opcode == PONS_OP_RECV_MULTI && events[i].res == 0)
            events[i].flags |= PONS_EVENT_MORE;
    return n;
}

REACTOR("trails_off", adapted_ops.poll = trails_off_poll)
