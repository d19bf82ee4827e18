/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/daydreams.c - breaks R10: a multishot poll misses one arrival of
 * three.
 */

#include "adapted.h"

enum { OFTEN = 3 };

static int
daydreams_keep(struct pons_reactor *r, struct pons_event *ev)
{
    return ev->op->opcode != PONS_OP_POLL_MULTI || ev->res != POLLIN ||
           ++*adapted_state(r) % OFTEN != 0;
}

static int
daydreams_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
               uint64_t deadline_ns)
{
    return adapted_poll_but(r, events, cap, deadline_ns, daydreams_keep);
}

REACTOR("daydreams", adapted_ops.poll = daydreams_poll)
