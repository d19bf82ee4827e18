/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/repeats.c - breaks R5: a second cancel is answered, too.
 */

#include "adapted.h"

enum { CANCELLED = 1 };

static int
repeats_submit(struct pons_reactor *r, struct pons_op *op)
{
    *adapted_mark(op) = 0;
    return adapter_submit(r, op);
}

static void
repeats_cancel(struct pons_reactor *r, struct pons_op *op)
{
    if (*adapted_mark(op) == CANCELLED)
        *adapted_state(r) = (uintptr_t)op;
    *adapted_mark(op) = CANCELLED;
    adapter_cancel(r, op);
}

static int
repeats_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
             uint64_t deadline_ns)
{
    struct pons_op *again = (struct pons_op *)*adapted_state(r);

    if (again == NULL)
        return adapter_poll(r, events, cap, deadline_ns);
    *adapted_state(r) = 0;
    *events = (struct pons_event){.op = again, .res = -ECANCELED};
    return 1;
}

REACTOR("repeats", adapted_ops.submit = repeats_submit,
        adapted_ops.cancel = repeats_cancel, adapted_ops.poll = repeats_poll)
