/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/swallows.c - breaks R5: a byte that comes between a cancel and
 * its event is gone.
 */

#include "adapted.h"

static int
swallows_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
              uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns);
    char c;

    for (int i = 0; i < n; i++)
        if (events[i].res == -ECANCELED && events[i].op->opcode == PONS_OP_RECV)
            (void)!recv(events[i].op->fd, &c, 1, MSG_DONTWAIT);
    return n;
}

REACTOR("swallows", adapted_ops.poll = swallows_poll)
