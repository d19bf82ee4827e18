/* SPDX-License-Identifier: MIT */
#ifndef PONI_SEAT_H
#define PONI_SEAT_H

/*
 * core/seat.h - what a worker works on: run queues, timers, a reactor.
 *
 * A seat has one owner at a time: the thread that sits on it. Everyone else
 * reaches it through the two inboxes, the ring (stealing), the timers' lock,
 * and its bit in the runtime's `sleepers`:
 *
 *     owner, before it sleeps        others, after they left something
 *       set own bit  (seq_cst)         write queue or inbox
 *       look at everything again       fence (seq_cst)
 *       sleep in the reactor           bit set? clear it; the winner rings
 *
 * Either the owner sees what was left, or the other sees the bit (Dekker).
 */

#include "files.h"
#include "pons/reactor.h"
#include "runqueue.h"
#include "self.h"
#include "slab.h"
#include "spin.h"
#include "timers.h"

enum {
    /* Tasks between two looks at reactor and injection: all that were ready at
     * the last, so that each has its turn, within these bounds. The lower is a
     * prime, so that it does not beat with a program's period. */
    TURN_LEAST = 61,
    TURN_MOST = 256,
    BUDGET = 128, // operations of one poll
    LIFO_RUN = 3, // tasks in a row from the LIFO slot, then the ring's turn
    EVENTS = 256, // per look at the reactor
    NEW_WORK = 2, // ready new tasks from which a second worker is called
};

/* Who works on a seat that has no worker: nobody, somebody, or somebody for
 * whose leaving shutdown waits. A futex. */
enum seat_sat { SEAT_FREE, SEAT_TAKEN, SEAT_AWAITED };

/* Ready tasks in order, by their `next`. */
struct tasklist {
    struct pons_task *first, **end;
    unsigned count;
};

struct poni_seat {
    /* Set once. */
    struct pons_runtime *runtime;
    unsigned index;
    uint64_t bit; // in runtime->sleepers

    /* The owner's. */
    struct pons_reactor *reactor;
    struct pons_task *lifo;         // ready; the next one; never stolen
    struct tasklist local;          // ready; refills the ring when it is empty
    struct tasklist pinned;         // ready fibers that stay on this thread
    struct tasklist yielded;        // become `local` after the reactor's turn
    struct tasklist yielded_pinned; // and `pinned`
    uint32_t turn_in;               // so many tasks
    uint32_t lifo_run, budget;
    uint32_t searching;   // counted in runtime->searchers
    uint32_t has_yielded; // the running poll has
    uint32_t working;     // inside poni_seat_work(): no second one may begin
    uint32_t random;
    uint32_t pinned_first;        // before the ring; every other time
    uint64_t inflight;            // ops that the reactor has
    struct poni_files files;      // the engine beside it, if there is one
    struct pons_multi *multis;    // of these, by core/multishot.c
    struct poni_buffers *buffers; // lent from; NULL: none yet, or never
    uint32_t lend_tried;          // whether that is known
    struct poni_spin spin;        // how long to look before the next sleep
    uint64_t busy_since;          // ticks; 0: the ring was empty just now
    uint64_t bells_owed;          // by those who have taken the bit so far
    struct poni_slab slab;

    /* Counters: the owner writes, any thread reads. */
    uint64_t polls, steals, parks, bells, ops, ops_inline, finished;

    /* Any thread. */
    struct poni_runqueue ring;
    struct poni_timers timers;
    __attribute__((aligned(64))) struct pons_task *ready_inbox;
    struct pons_op *op_inbox;  // POSTED and RECALLED, by core[0]
    uint32_t called_to_search; // who woke us has counted us as a searcher
    uint32_t sat;              // enum seat_sat; runtime.c
    uint32_t bound_away;       // who sits: the reactor is not the maker's now
    uint32_t drained;          // nothing is in flight, nor will be
};

/* `s` is zeroed; its reactor is the caller's to set. */
void poni_seat_init(struct poni_seat *s, struct pons_runtime *rt,
                    unsigned index);

/* The owner gives itself a ready task, first in, first out. */
void poni_seat_push(struct poni_seat *s, struct pons_task *t);

/* The same for a fiber that no other seat may run. */
void poni_seat_push_pinned(struct poni_seat *s, struct pons_task *t);

/* The same for a new task: another worker is called at once if there is more
 * than the owner will come to next. */
void poni_seat_push_new(struct poni_seat *s, struct pons_task *t);

/* A QUEUED task is put where it may run, from any thread. */
void poni_task_enqueue(struct pons_task *t);

/* The same, to that seat, by its inbox: from a signal handler, too. If the
 * runtime has stopped nobody runs it. */
void poni_seat_post_task(struct poni_seat *s, struct pons_task *t);

/* The owner: `t` has yielded (core/task_state.h). */
void poni_seat_push_yielded(struct poni_seat *s, struct pons_task *t);

/* The running poll wants to be polled again after the reactor was turned. */
void poni_seat_yield(struct poni_seat *s, struct pons_waker *w);

/*
 * Charges one operation to the running task's budget. 0: it is used up; the
 * future has been made to be polled again after the reactor was turned, and
 * answers PONS_PENDING.
 */
static inline int
poni_budget_take(const struct poni_self *self, struct pons_waker *w)
{
    struct poni_seat *s = self->seat;

    if (s == NULL || self->task == NULL)
        return 1; // an ordinary thread holds up nobody
    if (s->budget > 0) {
        s->budget--;
        return 1;
    }
    poni_seat_yield(s, w);
    return 0;
}

/* Any thread: `op` is POSTED or RECALLED; its seat shall look at it. 0: the
 * runtime has stopped, and nobody will. */
int poni_seat_post_op(struct poni_seat *s, struct pons_op *op);

/* The same for an op that the seat has in flight: until it has drained. */
int poni_seat_post_recall(struct poni_seat *s, struct pons_op *op);

/* The owner has nothing to run: steals, or looks on for a bounded while, or
 * sleeps until there may be something, *word is `value`, or the deadline.
 * core/idle.c */
void poni_seat_rest(struct poni_seat *s, const uint32_t *word, uint32_t value,
                    uint64_t deadline_ns);

/* The owner has found work: others may search, and are called if there is more.
 */
void poni_seat_end_search(struct poni_seat *s);

/* The owner: whether something was posted; does it. */
static inline int
poni_seat_posted(const struct poni_seat *s)
{
    return poni_load_relaxed(&s->ready_inbox) != NULL ||
           poni_load_relaxed(&s->op_inbox) != NULL;
}

void poni_seat_read_inboxes(struct poni_seat *s);

/* The owner: runs one task, or waits until there may be one, or the deadline.
 */
void poni_seat_step(struct poni_seat *s, uint64_t deadline_ns);

/* The calling thread owns the seat's engines from now on. 0 or -errno. */
int poni_seat_bind(struct poni_seat *s);

/* Ops that its engines have. The owner, or after the last one. */
static inline uint64_t
poni_seat_inflight(const struct poni_seat *s)
{
    return s->inflight + s->files.inflight;
}

/* The owner: waits in the reactor for an event, a ring or the deadline. */
void poni_seat_poll(struct poni_seat *s, uint64_t deadline_ns);

/* Any thread: the owner shall come out of its sleep. */
void poni_seat_ring(struct poni_seat *s);

/* The owner: runs tasks until *word is `value`, or the deadline. Who changes
 * the word rings the seat. */
void poni_seat_work(struct poni_seat *s, const uint32_t *word, uint32_t value,
                    uint64_t deadline_ns);

#endif /* PONI_SEAT_H */
