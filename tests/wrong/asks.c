/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/asks.c - breaks R6: a poll looks at something else before.
 */

#include "pretence.h"

static int
asks_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
          uint64_t deadline_ns)
{
    (void)getppid();
    (void)getppid();
    return null_poll(r, events, cap, deadline_ns);
}

PRETENCE("asks", pretence_ops.poll = asks_poll,
         pretence_caps = PONS_REACTOR_COMPLETION)
