/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/says_it_again.c - breaks R2: an op that was DONE has an event,
 * too.
 */

#include "adapted.h"

static int
says_it_again_submit(struct pons_reactor *r, struct pons_op *op)
{
    int how = adapter_submit(r, op);

    if (how == PONS_SUBMIT_DONE && op->opcode == PONS_OP_RECV)
        *adapted_state(r) = (uintptr_t)op;
    return how;
}

static int
says_it_again_poll(struct pons_reactor *r, struct pons_event *events,
                   unsigned cap, uint64_t deadline_ns)
{
    struct pons_op *again = (struct pons_op *)*adapted_state(r);

    if (again == NULL)
        return adapter_poll(r, events, cap, deadline_ns);
    *adapted_state(r) = 0;
    *events = (struct pons_event){.op = again};
    return 1;
}

REACTOR("says_it_again", adapted_ops.submit = says_it_again_submit,
        adapted_ops.poll = says_it_again_poll)
