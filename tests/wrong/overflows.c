/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/overflows.c - breaks R7: where there is room for four events it
 * fills five.
 */

#include "reactor.h"

static int
overflows_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
               uint64_t deadline_ns)
{
    return right_poll(r, events, cap == 4 ? 5 : cap, deadline_ns);
}

WRONG_REACTOR("overflows", wrong_reactor.poll = overflows_poll)
