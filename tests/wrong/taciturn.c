/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/taciturn.c - breaks R9: of a RECVMSG that had to wait it tells
 * the bytes: of the msghdr it has a copy, where the rest stays.
 */

#include "adapted.h"

static int
taciturn_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
              uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns);

    for (int i = 0; i < n; i++)
        if (events[i].op->opcode == PONS_OP_RECVMSG && events[i].res >= 0)
            ((struct msghdr *)events[i].op->addr)->msg_flags = 0;
    return n;
}

REACTOR("taciturn", adapted_ops.poll = taciturn_poll)
