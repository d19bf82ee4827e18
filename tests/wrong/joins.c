/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/joins.c - breaks R10: where a lent buffer has room left there
 * comes what is next, too, be it another datagram.
 */

#include "adapted.h"

#include <sys/socket.h>

static void
joins_fill(const struct poni_lent_group *g, struct pons_event *ev)
{
    unsigned number = ev->flags >> PONS_EVENT_BUFFER_SHIFT;
    char *buffer = g->base + (size_t)number * g->size;
    size_t room = g->size - (size_t)ev->res;
    ssize_t n;

    if (room == 0)
        return;
    n = recv(ev->op->fd, buffer + ev->res, room, MSG_DONTWAIT);
    if (n > 0)
        ev->res += (int32_t)n;
}

static int
joins_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
           uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns);

    for (int i = 0; i < n; i++)
        if (events[i].flags & PONS_EVENT_BUFFER)
            joins_fill(
                poni_lent_group(self(r)->lent, events[i].op->buffer_group),
                &events[i]);
    return n;
}

REACTOR("joins", adapted_ops.poll = joins_poll)
