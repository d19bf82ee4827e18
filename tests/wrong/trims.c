/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/trims.c - breaks R10: of a multishot recv the event that poll
 * has no room for is lost.
 */

#include "adapted.h"

static int
trims_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
           uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns);
    const struct pons_op *next = oplist_first(self(r)->flowing);
    struct pons_event lost;

    if (n == (int)cap && next != NULL && next != events[n - 1].op &&
        next->backend[0] == FLOWS && next->opcode == PONS_OP_RECV_MULTI)
        (void)flow_step(self(r), &lost);
    return n;
}

REACTOR("trims", adapted_ops.poll = trims_poll)
