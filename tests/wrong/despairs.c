/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/despairs.c - breaks R10: a connection for which there is no
 * descriptor a multishot accept takes in place of a spare one, and throws
 * away.
 */

#include "adapted.h"

#include <sys/socket.h>

static int despairs_spare = -1;

static int
despairs_submit(struct pons_reactor *r, struct pons_op *op)
{
    if (despairs_spare < 0 && op->opcode == PONS_OP_ACCEPT_MULTI)
        despairs_spare = dup(op->fd);
    return adapter_submit(r, op);
}

static int
despairs_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
              uint64_t deadline_ns)
{
    int n = adapter_poll(r, events, cap, deadline_ns);

    for (int i = 0; i < n; i++) {
        const struct pons_op *op = events[i].op;

        if (op->opcode != PONS_OP_ACCEPT_MULTI || events[i].res != -EMFILE)
            continue;
        close(despairs_spare);
        close(accept(op->fd, NULL, NULL));
        despairs_spare = dup(op->fd);
    }
    return n;
}

REACTOR("despairs", adapted_ops.submit = despairs_submit,
        adapted_ops.poll = despairs_poll)
