/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/dice.c - breaks R13: how many events a poll takes depends on a
 * clock that is not the host's.
 */

#include "pretence.h"

static int
dice_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
          uint64_t deadline_ns)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    if (t.tv_nsec % 7 < 3 && deadline_ns != PONS_NEVER)
        cap = 0;
    return null_poll(r, events, cap, deadline_ns);
}

PRETENCE("dice", pretence_ops.poll = dice_poll,
         pretence_caps = PONS_REACTOR_VIRTUAL_TIME)
