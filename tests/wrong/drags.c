/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/drags.c - breaks R2: the bytes of a RECV come from a buffer of
 * its own, and the last of them when its event was given.
 */

#include "adapted.h"

static char *drags_to, drags_byte;

static int
drags_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
           uint64_t deadline_ns)
{
    int n;

    if (drags_to != NULL)
        *drags_to = drags_byte;
    drags_to = NULL;
    n = adapter_poll(r, events, cap, deadline_ns);
    if (n > 0 && events[0].op->opcode == PONS_OP_RECV && events[0].res > 0) {
        drags_to = (char *)events[0].op->addr + events[0].res - 1;
        drags_byte = *drags_to;
    }
    return n;
}

REACTOR("drags", adapted_ops.poll = drags_poll)
