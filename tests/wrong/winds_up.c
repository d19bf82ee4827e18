/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/winds_up.c - breaks R6: for a deadline there is a clock to be set
 * before the poll, and to be stopped behind it.
 */

#include "pretence.h"

static int
winds_up_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
              uint64_t deadline_ns)
{
    int timed = deadline_ns != 0 && deadline_ns != PONS_NEVER, n;

    if (timed)
        (void)getppid();
    n = null_poll(r, events, cap, deadline_ns);
    if (timed)
        (void)getppid();
    return n;
}

PRETENCE("winds_up", pretence_ops.poll = winds_up_poll,
         pretence_caps = PONS_REACTOR_COMPLETION)
