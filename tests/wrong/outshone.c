/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/outshone.c - breaks R10: a multishot poll tells nothing more
 * once a recv has taken bytes beside it.
 */

#include "adapted.h"

enum { NONE, BIAS }; // in the state: that descriptor, and BIAS

static int
outshone_forget(struct pons_reactor *r, int fd)
{
    *adapted_state(r) = NONE;
    return adapter_forget(r, fd);
}

static int
outshone_keep(struct pons_reactor *r, struct pons_event *ev)
{
    uintptr_t fd = (uintptr_t)ev->op->fd + BIAS;

    if (ev->op->opcode == PONS_OP_RECV)
        *adapted_state(r) = fd;
    return ev->op->opcode != PONS_OP_POLL_MULTI || ev->res < 0 ||
           *adapted_state(r) != fd;
}

static int
outshone_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
              uint64_t deadline_ns)
{
    return adapted_poll_but(r, events, cap, deadline_ns, outshone_keep);
}

REACTOR("outshone", adapted_ops.forget = outshone_forget,
        adapted_ops.poll = outshone_poll)
