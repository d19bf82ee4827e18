/* SPDX-License-Identifier: MIT */
/*
 * core/adapter_flow.c - multishot operations over a poller (R10).
 *
 * One waits like any other, and once reported flows: each poll() makes its call
 * again, as long as it gives something. So an event is made where there is room
 * for it, and a buffer is lent when there are bytes.
 */

#include "adapter_parts.h"

#include <errno.h>

#include "opcode.h"
#include "oplist.h"

/* --- submit --- */

/* Without a try: poll() makes its events. */
int
poni_flow_begin(struct poni_adapter *a, struct pons_op *op)
{
    op->backend[0] = FLOWS;
    oplist_push(&a->flowing, op);
    return PONS_SUBMIT_PENDING;
}

static int
flow_submit_accept(struct poni_adapter *a, struct pons_op *op)
{
    op->addr = op->addr2 = NULL; // whose address it was is not told
    return poni_flow_begin(a, op);
}

static int
flow_submit_recv(struct poni_adapter *a, struct pons_op *op)
{
    if (poni_recv_is_aside(op) || a->lent == NULL ||
        poni_lent_group(a->lent, op->buffer_group) == NULL)
        return poni_submit_ends(op, -EINVAL);
    return poni_flow_begin(a, op);
}

int
poni_flow_submit(struct poni_adapter *a, struct pons_op *op)
{
    switch (op->opcode) {
    case PONS_OP_ACCEPT_MULTI:
        return flow_submit_accept(a, op);
    case PONS_OP_RECV_MULTI:
        return flow_submit_recv(a, op);
    default:
        return poni_flow_begin(a, op);
    }
}

/* --- what flows --- */

/* Back to where it waits: it would block. */
static void
flow_wait(struct poni_adapter *a, struct pons_op *op)
{
    struct poni_slot *s = poni_slots_find(&a->slots, op->fd);

    if (poni_adapter_queue(a, s, op, 0) == PONS_SUBMIT_PENDING)
        return;
    poni_adapter_finish(a, op); // it cannot be watched: op->res says why
}

/* Where it hears of every edge, from a level poller, too. */
static void
flow_watch(struct poni_adapter *a, struct pons_op *op)
{
    unsigned events = (unsigned short)poni_op_events(op);
    unsigned dirs = poni_poll_directions(events);
    struct poni_slot *s = poni_slots_make(&a->slots, op->fd);
    int err = -ENOMEM;

    if (dirs == 0)
        dirs = PONS_READABLE; // of endings every watcher is told
    if (s != NULL)
        err = a->edge ? poni_adapter_watch_only(a, s, op->fd, dirs)
                      : poni_adapter_watch_odd(a, s, op->fd, ODD_ALL);
    if (err < 0 && err != -EPERM) { // a file: what it is not now it never is
        op->res = err;
        poni_adapter_finish(a, op);
        return;
    }
    op->backend[0] = WATCHES;
    oplist_push(&s->watching, op);
}

/* Makes its call. 1: it ended, op->res holds. */
static int
flow_try(struct poni_adapter *a, struct pons_op *op)
{
    struct poni_slot *s = poni_slots_find(&a->slots, op->fd);

    if (s == NULL || op->opcode == PONS_OP_POLL_MULTI)
        return poni_op_try(op);
    return !(s->drained & PONS_READABLE) &&
           poni_adapter_try(s, op, PONS_READABLE);
}

/* What to do once more is asked of it; flags of its event. */
static uint32_t
flow_on(struct poni_adapter *a, struct pons_op *op)
{
    op->backend[0] = FLOWS;
    if (op->opcode == PONS_OP_POLL_MULTI)
        flow_watch(a, op);
    else
        oplist_push(&a->flowing, op);
    return PONS_EVENT_MORE;
}

/* Whether `op` made `event`. */
static int
flow_recv(struct poni_adapter *a, struct pons_op *op, struct pons_event *event)
{
    struct poni_lent_group *g = poni_lent_group(a->lent, op->buffer_group);
    int buffer = poni_lent_peek(g);

    event->res = -ENOBUFS;
    if (buffer < 0)
        return 1;
    op->addr = g->base + (size_t)buffer * g->size;
    op->len = g->size;
    if (!flow_try(a, op))
        return 0;
    event->res = op->res;
    if (op->res <= 0)
        return 1;
    poni_lent_take(g);
    event->flags = PONS_EVENT_BUFFER |
                   (uint32_t)buffer << PONS_EVENT_BUFFER_SHIFT | flow_on(a, op);
    return 1;
}

static int
flow_other(struct poni_adapter *a, struct pons_op *op, struct pons_event *event)
{
    if (!flow_try(a, op))
        return 0;
    event->res = op->res;
    if (op->res >= 0)
        event->flags = flow_on(a, op);
    return 1;
}

/* The next event of the first that flows: whether there was one. */
static int
flow_step(struct poni_adapter *a, struct pons_event *event)
{
    struct pons_op *op = oplist_pop(&a->flowing);

    *event = (struct pons_event){.op = op, .res = op->res};
    if (op->backend[0] == FINISHED)
        return 1;
    if (op->opcode == PONS_OP_RECV_MULTI ? flow_recv(a, op, event)
                                         : flow_other(a, op, event))
        return 1;
    if (op->opcode == PONS_OP_POLL_MULTI)
        flow_watch(a, op);
    else
        flow_wait(a, op);
    return 0;
}

unsigned
poni_flow_tell(struct poni_adapter *a, struct pons_event *events, unsigned cap)
{
    unsigned n = 0;

    while (n < cap && a->flowing != NULL)
        n += (unsigned)flow_step(a, &events[n]);
    return n;
}

/* --- buffers --- */

int
poni_flow_lend(struct poni_adapter *a, const struct pons_buffers *b)
{
    if (a->lent == NULL) {
        a->lent = a->host->alloc(a->host, sizeof *a->lent);
        if (a->lent == NULL)
            return -ENOMEM;
        a->lent->host = a->host;
    }
    return poni_lent_add(a->lent, b);
}
