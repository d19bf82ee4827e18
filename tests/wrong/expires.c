/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/expires.c - breaks R10: a multishot op ends when another thread
 * becomes the owner.
 */

#include "adapted.h"

static int
expires_submit(struct pons_reactor *r, struct pons_op *op)
{
    if (op_is_multi(op))
        *adapted_mark(op) = (uint64_t)gettid();
    return adapter_submit(r, op);
}

static int
expires_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
             uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns);

    for (int i = 0; i < n; i++)
        if (op_is_multi(events[i].op) &&
            *adapted_mark(events[i].op) != (uint64_t)gettid()) {
            events[i].res = -EINTR;
            events[i].flags = 0;
        }
    return n;
}

REACTOR("expires", adapted_ops.submit = expires_submit,
        adapted_ops.poll = expires_poll)
