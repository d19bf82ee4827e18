/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/spoils.c - breaks R10: for a byte for which there is no buffer
 * left it has no room, and it is gone.
 */

#include "adapted.h"

#include <sys/socket.h>

static int
spoils_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
            uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns);
    char c;

    for (int i = 0; i < n; i++)
        if (events[i].op->opcode == PONS_OP_RECV_MULTI &&
            events[i].res == -ENOBUFS)
            (void)!recv(events[i].op->fd, &c, 1, MSG_DONTWAIT);
    return n;
}

REACTOR("spoils", adapted_ops.poll = spoils_poll)
