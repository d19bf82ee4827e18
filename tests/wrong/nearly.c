/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/nearly.c - breaks R11: a deadline that is less than 100 ns away
 * is over.
 */

#include "pretence.h"

enum { NEARLY_NS = 99 };

static int
nearly_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
            uint64_t deadline_ns)
{
    if (deadline_ns != PONS_NEVER && deadline_ns > NEARLY_NS)
        deadline_ns -= NEARLY_NS;
    return null_poll(r, events, cap, deadline_ns);
}

PRETENCE("nearly", pretence_ops.poll = nearly_poll,
         pretence_caps = PONS_REACTOR_VIRTUAL_TIME)
