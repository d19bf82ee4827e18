/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/naps.c - breaks R7: it sleeps for a moment before it looks, even
 * with deadline 0.
 */

#include "adapted.h"

#include <time.h>

static int
naps_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
          uint64_t deadline_ns)
{
    struct timespec moment = {.tv_nsec = 1000};

    if (deadline_ns == 0)
        (void)nanosleep(&moment, NULL);
    return adapter_poll(r, events, cap, deadline_ns);
}

REACTOR("naps", adapted_ops.poll = naps_poll)
