/* SPDX-License-Identifier: MIT */
#ifndef PONI_WAITER_H
#define PONI_WAITER_H

/*
 * core/waiter.h - how an ordinary thread waits: one word, one wait at a time.
 *
 *             park                    notify
 *     AWAKE ---------> ASLEEP  ------------------------> NOTIFIED
 *       |  |                                              ^  |
 *       |  +---------> POLLING ----------> RINGING -------+  | clear
 *       |     park               notify             rung     |
 *       +---------------------- notify ----------------->+   |
 *       ^                                                    |
 *       +----------------------------------------------------+
 *
 * ASLEEP is in futex(2). POLLING is in ppoll(2), and a wake then writes the
 * doorbell, an eventfd that is there for that wait only; or on a seat, and a
 * wake rings the seat. The thread lets go of neither while somebody is RINGING.
 * The waiter is counted: a waker may outlive the thread.
 */

#include <poll.h>

#include "pons/future.h"
#include "pons/op.h"
#include "pons/time.h"
#include "spin.h"

enum waiter_state {
    WAITER_AWAKE,
    WAITER_ASLEEP,
    WAITER_POLLING,
    WAITER_RINGING,
    WAITER_NOTIFIED,
};

struct poni_waiter {
    uint32_t word; // enum waiter_state; any thread
    uint32_t refs;
    int bell; // valid while POLLING and RINGING, unless there is a seat
    struct poni_seat *seat;    // that the thread works on while it waits
    struct pons_runtime *made; // without workers: this thread's waits drive it
    uint32_t rings;            // notifiers that still need the seat
    struct poni_spin spin;     // how long to look before the sleep
};

extern const struct pons_waker_ops poni_waiter_waker_ops;

/* The calling thread's, made at its first wait. NULL: no memory. */
struct poni_waiter *poni_waiter_self(void);

/* What the leaves of one wait on an ordinary thread are waiting for. */
struct poni_wait {
    struct pons_op *ops;       // LISTED, by op.next
    struct pons_sleep *sleeps; // LISTED, by links[0]
    unsigned op_count;
};

/* Lists `op`, which waits for `events` of poll(2), in `wait`; and takes it out.
 * The waiting thread. */
void poni_wait_list(struct poni_wait *wait, struct pons_op *op, short events);
void poni_wait_unlist(struct poni_wait *wait, const struct pons_op *op);

/*
 * Sleeps until notified, or one of the listed descriptors is ready, or a listed
 * sleep or `deadline_ns` is due. May return early. A listed op waits for the
 * events in its event_flags; afterwards its res holds those that are there.
 */
void poni_waiter_park(struct poni_waiter *w, struct poni_wait *wait,
                      uint64_t deadline_ns);

/* Works on `seat` until notified, or the deadline is due. */
void poni_waiter_drive(struct poni_waiter *w, struct poni_seat *seat,
                       uint64_t deadline_ns);

/* Whether a notify has come since the last park. */
static inline int
poni_waiter_notified(const struct poni_waiter *w)
{
    return __atomic_load_n(&w->word, __ATOMIC_ACQUIRE) == WAITER_NOTIFIED;
}

/* Forgets a notify: the future is about to be polled again. */
void poni_waiter_clear(struct poni_waiter *w);

#endif /* PONI_WAITER_H */
