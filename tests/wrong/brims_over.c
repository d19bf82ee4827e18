/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/brims_over.c - breaks R10: what a multishot recv has to tell
 * beyond a few events does not fit into its queue. By default there is room
 * enough.
 */

#include "adapted.h"

static const struct pons_option brims_over_options[] = {
    {.name = "entries",
     .type = PONS_OPTION_UINT,
     .fallback = "65536",
     .min = 2,
     .max = 65536,
     .help = "events of an op"},
    {0},
};

/* The option is in the state. */
static int
brims_over_open(struct pons_reactor **out, const struct pons_config *config,
                const struct pons_host *host, struct pons_reason *reason)
{
    int err = adapted_open(out, config, host, reason);

    if (err == 0)
        *adapted_state(*out) = host->config_uint(config, "entries");
    return err;
}

static int
brims_over_submit(struct pons_reactor *r, struct pons_op *op)
{
    if (op->opcode == PONS_OP_RECV_MULTI)
        *adapted_mark(op) = 0;
    return adapter_submit(r, op);
}

static int
brims_over_keep(struct pons_reactor *r, struct pons_event *ev)
{
    return ev->op->opcode != PONS_OP_RECV_MULTI || ev->res <= 0 ||
           ++*adapted_mark(ev->op) <= *adapted_state(r);
}

static int
brims_over_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
                uint64_t deadline_ns)
{
    return adapted_poll_but(r, events, cap, deadline_ns, brims_over_keep);
}

REACTOR_WITH("brims_over", brims_over_options,
             adapted_ops.open = brims_over_open,
             adapted_ops.submit = brims_over_submit,
             adapted_ops.poll = brims_over_poll)
