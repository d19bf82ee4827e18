/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/severs.c - breaks R14: a close is the end of all reactors that
 * there are.
 */

#include "adapted.h"

static unsigned severs_closed; // reactors of this process, ever

static int
severs_open(struct pons_reactor **out, const struct pons_config *config,
            const struct pons_host *host, struct pons_reason *reason)
{
    int err = adapted_open(out, config, host, reason);

    if (err == 0)
        *adapted_state(*out) = poni_load_seq(&severs_closed);
    return err;
}

static void
severs_close(struct pons_reactor *r)
{
    poni_add(&severs_closed, 1);
    adapter_close(r);
}

static int
severs_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
            uint64_t deadline_ns)
{
    if (*adapted_state(r) != poni_load_seq(&severs_closed))
        return -EBADF;
    return adapter_poll(r, events, cap, deadline_ns);
}

REACTOR("severs", adapted_ops.open = severs_open,
        adapted_ops.close = severs_close, adapted_ops.poll = severs_poll)
