/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/cramped.c - breaks R4: what does not fit into a queue of a few
 * entries is PENDING, and forgotten. By default there is room enough.
 */

#include "adapted.h"

enum { ROOM, TAKEN }; // in the reactor's state
enum { LOST = 1 };    // in an op's mark

static const struct pons_option cramped_options[] = {
    {.name = "entries",
     .type = PONS_OPTION_UINT,
     .fallback = "4096",
     .min = 2,
     .max = 4096,
     .help = "ops that wait"},
    {0},
};

static int
cramped_open(struct pons_reactor **out, const struct pons_config *config,
             const struct pons_host *host, struct pons_reason *reason)
{
    int err = adapted_open(out, config, host, reason);

    if (err == 0)
        adapted_state(*out)[ROOM] = host->config_uint(config, "entries");
    return err;
}

static int
cramped_submit(struct pons_reactor *r, struct pons_op *op)
{
    uintptr_t *state = adapted_state(r);
    int how;

    *adapted_mark(op) = LOST;
    if (state[TAKEN] == state[ROOM])
        return PONS_SUBMIT_PENDING;
    *adapted_mark(op) = 0;
    how = adapter_submit(r, op);
    state[TAKEN] += how == PONS_SUBMIT_PENDING;
    return how;
}

static void
cramped_cancel(struct pons_reactor *r, struct pons_op *op)
{
    if (*adapted_mark(op) != LOST)
        adapter_cancel(r, op);
}

static int
cramped_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
             uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns);

    if (n > 0)
        adapted_state(r)[TAKEN] -= (uintptr_t)n;
    return n;
}

REACTOR_WITH("cramped", cramped_options, adapted_ops.open = cramped_open,
             adapted_ops.submit = cramped_submit,
             adapted_ops.cancel = cramped_cancel,
             adapted_ops.poll = cramped_poll)
