/* SPDX-License-Identifier: MIT */
#ifndef PONI_ADAPTER_PARTS_H
#define PONI_ADAPTER_PARTS_H

/*
 * core/adapter_parts.h - a reactor over a poller: for core/adapter.c (single
 * operations, reports, the poller) and core/adapter_flow.c (multishot ones).
 * All of it is the owner thread's, but `rung`.
 */

#include "adapter.h"
#include "finetimer.h"
#include "lent.h"
#include "oddset.h"
#include "slots.h"

/*
 * Where a pending op is; in op->backend[0].
 *
 *   submit --+--> WAITS   --+--> FINISHED --> event
 *            +--> WATCHES --+
 *            +--> RETRIES --+  its call ended, or cancel
 *            +--> PASSED  --+  the poller has reported it
 *
 *   submit of a multishot op, or a report --> FLOWS --> events with MORE
 *   FLOWS --> WAITS or WATCHES: it would block; FINISHED: the last event
 */
enum op_place {
    WAITS,    // slot->waiting[direction]: a call, in turn
    WATCHES,  // slot->watching: out of turn
    RETRIES,  // adapter->retries
    PASSED,   // the poller's
    FLOWS,    // adapter->flowing
    FINISHED, // adapter->finished; op->res holds. On the way there a cancelled
              // op is in adapter->flowing
};

struct poni_adapter {
    struct pons_reactor base;
    struct pons_reactor_ops ops; // the adapter's under the poller's name

    /* Set once. */
    const struct pons_host *host;
    const struct pons_poller_ops *poll_ops;
    struct pons_poller *poller;
    int edge;        // the poller's PONS_POLLER_EDGE
    uint64_t passed; // opcodes that its submit() is given

    struct poni_slots slots;
    struct poni_finetimer timer; // its fd is -1 if the poller counts in ns
    struct pons_op *finished;    // FINISHED, oldest first
    struct pons_op *retries;     // RETRIES: to a full unix socket
    struct pons_op *flowing;     // FLOWS: who gives next is first
    struct poni_lent *lent;      // NULL: nothing to lend
    int flow_first; // who is told first, what flows or what has FINISHED
    int odd;        // a core/oddset.h, of level pollers only; or -1

    /* Any thread: a wake that poll() has not answered. On a line of its own,
     * since wakers write it. */
    __attribute__((aligned(64))) uint32_t rung;
};

static inline int
poni_op_is_multi(const struct pons_op *op)
{
    return op->opcode >= PONS_OP_ACCEPT_MULTI &&
           op->opcode <= PONS_OP_POLL_MULTI;
}

/* An op ends inside submit(). */
static inline int
poni_submit_ends(struct pons_op *op, int res)
{
    op->res = res;
    return PONS_SUBMIT_DONE;
}

/* --- core/adapter.c --- */

/* Lets the poller watch `s` for `dirs` too; one that tells of edges is told of
 * both at once. -EPERM: it is always ready. */
int poni_adapter_watch(struct poni_adapter *a, struct poni_slot *s, int fd,
                       unsigned dirs);

/* The same for no more than that, as of what will never be read or written. */
int poni_adapter_watch_only(struct poni_adapter *a, struct poni_slot *s, int fd,
                            unsigned dirs);

/* Has the odd events of a descriptor told, too, of a level poller. */
int poni_adapter_watch_odd(struct poni_adapter *a, struct poni_slot *s, int fd,
                           enum poni_odd what);

/* Puts a call that would block into its queue; `s` may be NULL. As submit(). */
int poni_adapter_queue(struct poni_adapter *a, struct poni_slot *s,
                       struct pons_op *op, unsigned i);

/* Makes the call of `op`; `dir` is the bit of its direction. 1: it ended. */
int poni_adapter_try(struct poni_slot *s, struct pons_op *op, unsigned dir);

/* `op` has ended; op->res holds. */
void poni_adapter_finish(struct poni_adapter *a, struct pons_op *op);

/* Its outcome says nothing about its direction. */
int poni_recv_is_aside(const struct pons_op *op);

/* --- core/adapter_flow.c --- */

int poni_flow_submit(struct poni_adapter *a, struct pons_op *op);

/* `op` is new, or was reported: poll() makes its events. As submit(). */
int poni_flow_begin(struct poni_adapter *a, struct pons_op *op);

/* The next events of what flows, up to `cap`. How many. */
unsigned poni_flow_tell(struct poni_adapter *a, struct pons_event *events,
                        unsigned cap);

int poni_flow_lend(struct poni_adapter *a, const struct pons_buffers *b);

#endif /* PONI_ADAPTER_PARTS_H */
