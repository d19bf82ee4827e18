/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/bows.c - breaks R10: a multishot recv is told of its bytes when
 * nobody else has anything.
 */

#include "adapted.h"

static int
bows_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
          uint64_t deadline_ns)
{
    struct adapter *a = self(r);

    if (a->flowing != NULL && a->finished == NULL)
        (void)adapter_wait(a, 0);
    if (a->finished != NULL)
        return (int)adapter_take(a, events, cap);
    return adapter_poll(r, events, cap, deadline_ns);
}

REACTOR("bows", adapted_ops.poll = bows_poll)
