/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/overfills.c - breaks R7: where there is room for several
 * events poll writes one more than that.
 */

#include "adapted.h"

static int
overfills_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
               uint64_t deadline_ns)
{
    return adapter_poll(r, events, cap > 1 ? cap + 1 : 1, deadline_ns);
}

REACTOR("overfills", adapted_ops.poll = overfills_poll)
