/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/abandons.c - breaks R5: an op whose descriptor was closed has no
 * end, cancelled or not.
 */

#include "adapted.h"

#include <fcntl.h>

static void
abandons_cancel(struct pons_reactor *r, struct pons_op *op)
{
    if (fcntl(op->fd, F_GETFD) >= 0)
        adapter_cancel(r, op);
}

static int
abandons_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
              uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns), kept = 0;

    for (int i = 0; i < n; i++)
        if (events[i].res != -EBADF)
            events[kept++] = events[i];
    return n < 0 ? n : kept;
}

REACTOR("abandons", adapted_ops.cancel = abandons_cancel,
        adapted_ops.poll = abandons_poll)
