/* SPDX-License-Identifier: MIT */
#ifndef LENDING_H
#define LENDING_H

/*
 * tests/wrong/lending.h - tests/wrong/adapted.h with SEND_ZC: a plain send that
 * takes the two steps of R2. To be spoilt, by
 *
 *     LENDING("hurries", adapted_ops.submit = hurries_submit)
 *
 * Of an op that has been sent the mark says which event is next, and it is on a
 * list of the reactor's.
 */

#include "adapted.h"

#include "core/oplist.h"

enum { COUNT_NEXT = 1, END_NEXT }; // *adapted_mark()

static struct pons_op **
lending_list(struct pons_reactor *r)
{
    return (struct pons_op **)(void *)adapted_state(r);
}

/* `op` has been sent, and op->res is the count. */
static void
lending_sent(struct pons_reactor *r, struct pons_op *op)
{
    *adapted_mark(op) = COUNT_NEXT;
    oplist_push(lending_list(r), op);
}

static int
lending_submit(struct pons_reactor *r, struct pons_op *op)
{
    int how;

    if (op->opcode != PONS_OP_SEND_ZC)
        return adapter_submit(r, op);
    *adapted_mark(op) = 0;
    how = send_is_aside(op) ? submit_watch(self(r), op)
                            : submit_call(self(r), op, 1);
    if (how != PONS_SUBMIT_DONE || op->res < 0)
        return how;
    lending_sent(r, op);
    return PONS_SUBMIT_PENDING;
}

/* There is nothing to cancel any more, once it has been sent. */
static void
lending_cancel(struct pons_reactor *r, struct pons_op *op)
{
    if (op->opcode != PONS_OP_SEND_ZC || *adapted_mark(op) == 0)
        adapter_cancel(r, op);
}

static struct pons_event
lending_event(struct pons_reactor *r, struct pons_op *op)
{
    if (*adapted_mark(op) == END_NEXT)
        return (struct pons_event){.op = op};
    *adapted_mark(op) = END_NEXT;
    oplist_push(lending_list(r), op);
    return (struct pons_event){
        .op = op, .res = op->res, .flags = PONS_EVENT_MORE};
}

static int
lending_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
             uint64_t deadline_ns)
{
    unsigned told = 0;
    int n;

    while (told < cap && *lending_list(r) != NULL)
        events[told++] = lending_event(r, oplist_pop(lending_list(r)));
    if (told > 0)
        return (int)told;
    n = adapter_poll(r, events, cap, deadline_ns);
    for (int i = 0; i < n; i++) {
        struct pons_op *op = events[i].op;

        if (op->opcode != PONS_OP_SEND_ZC || events[i].res < 0)
            continue;
        op->res = events[i].res;
        *adapted_mark(op) = END_NEXT;
        oplist_push(lending_list(r), op);
        events[i].flags |= PONS_EVENT_MORE;
    }
    return n;
}

static int
lending_open(struct pons_reactor **out, const struct pons_config *config,
             const struct pons_host *host, struct pons_reason *reason)
{
    int err = adapted_open(out, config, host, reason);

    if (err == 0)
        (*out)->opcodes[0] |= UINT64_C(1) << PONS_OP_SEND_ZC;
    return err;
}

#define LENDING(engine, ...)                         \
    REACTOR(engine, adapted_ops.open = lending_open, \
            adapted_ops.submit = lending_submit,     \
            adapted_ops.cancel = lending_cancel,     \
            adapted_ops.poll = lending_poll, __VA_ARGS__)

#endif /* LENDING_H */
