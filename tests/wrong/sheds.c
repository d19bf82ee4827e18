/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/sheds.c - breaks R4: a connection for which there is no
 * descriptor is accepted in place of a spare one, and thrown away.
 */

#include "adapted.h"

#include <sys/socket.h>

static int sheds_spare = -1;

static void
sheds_throw(const struct pons_op *op, int32_t res)
{
    if (op->opcode != PONS_OP_ACCEPT || res != -EMFILE)
        return;
    close(sheds_spare);
    close(accept(op->fd, NULL, NULL));
    sheds_spare = dup(op->fd);
}

static int
sheds_submit(struct pons_reactor *r, struct pons_op *op)
{
    int how;

    if (sheds_spare < 0 && op->opcode == PONS_OP_ACCEPT)
        sheds_spare = dup(op->fd);
    how = adapter_submit(r, op);
    if (how == PONS_SUBMIT_DONE)
        sheds_throw(op, op->res);
    return how;
}

static int
sheds_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
           uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns);

    for (int i = 0; i < n; i++)
        sheds_throw(events[i].op, events[i].res);
    return n;
}

REACTOR("sheds", adapted_ops.submit = sheds_submit,
        adapted_ops.poll = sheds_poll)
