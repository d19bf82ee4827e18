/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/relends.c - breaks R10: a buffer is lent again before it has
 * come back.
 */

#include "adapted.h"

static int
relends_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
             uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns);

    for (int i = 0; i < n; i++) {
        struct pons_lent_buffer b = {
            .group = events[i].op->buffer_group,
            .index = (uint16_t)(events[i].flags >> PONS_EVENT_BUFFER_SHIFT)};

        if (events[i].flags & PONS_EVENT_BUFFER)
            (void)poni_lent_return(self(r)->lent, &b);
    }
    return n;
}

static int
relends_control(struct pons_reactor *r, unsigned what, void *arg)
{
    int err = adapter_control(r, what, arg);

    return what == PONS_CONTROL_RETURN ? 0 : err;
}

REACTOR("relends", adapted_ops.poll = relends_poll,
        adapted_ops.control = relends_control)
