/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/slurps.c - breaks R10: in a forked child it takes bytes of a
 * multishot recv.
 */

#include "adapted.h"

#include <sys/socket.h>

enum { NONE, BIAS }; // in the state: its descriptor, and BIAS

static int
slurps_submit(struct pons_reactor *r, struct pons_op *op)
{
    if (op->opcode == PONS_OP_RECV_MULTI)
        *adapted_state(r) = (uintptr_t)op->fd + BIAS;
    return adapter_submit(r, op);
}

static void
slurps_forked(struct pons_reactor *r)
{
    char c;

    if (*adapted_state(r) != NONE)
        (void)!recv((int)*adapted_state(r) - BIAS, &c, 1, MSG_DONTWAIT);
    adapter_forked(r);
}

REACTOR("slurps", adapted_ops.submit = slurps_submit,
        adapted_ops.forked = slurps_forked)
