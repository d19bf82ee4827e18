/* SPDX-License-Identifier: MIT */
#ifndef PONI_RUNQUEUE_H
#define PONI_RUNQUEUE_H

/*
 * core/runqueue.h - a seat's ring of tasks that any seat may run.
 *
 * The owner pushes at the tail; the owner and thieves take from the head, each
 * by one compare-and-swap, a thief up to half at once. A thief reads the slots
 * before its swap; as the swap succeeds only if the head has not moved, and the
 * owner writes no slot between head and tail, what it read was true. After
 * runqget() and runqgrab() in Go's runtime/proc.go (Vyukov).
 */

#include <stddef.h>

#include "atomic.h"

struct pons_task;

enum { RUNQUEUE_SLOTS = 256 }; // a power of two; what is more overflows

struct poni_runqueue {
    __attribute__((aligned(64))) uint64_t head; // any seat
    uint64_t tail;                              // the owner writes
    struct pons_task *slots[RUNQUEUE_SLOTS];
};

static inline unsigned
runqueue_count(const struct poni_runqueue *q)
{
    uint64_t head = poni_load_acquire(&q->head);

    return (unsigned)(poni_load_acquire(&q->tail) - head);
}

/* The owner. 0: it is full. */
static inline int
runqueue_push(struct poni_runqueue *q, struct pons_task *t)
{
    uint64_t tail = q->tail;

    /* Acquire pairs with the swaps of the takers: they have read their slots.
     */
    if (tail - poni_load_acquire(&q->head) == RUNQUEUE_SLOTS)
        return 0;
    poni_store_relaxed(&q->slots[tail % RUNQUEUE_SLOTS], t);
    /* Release pairs with the acquire of the tail: the slot is filled. */
    poni_store_release(&q->tail, tail + 1);
    return 1;
}

/* The owner. NULL: it is empty. */
static inline struct pons_task *
runqueue_pop(struct poni_runqueue *q)
{
    uint64_t head = poni_load_acquire(&q->head);
    struct pons_task *t;

    while (head != q->tail) {
        t = poni_load_relaxed(&q->slots[head % RUNQUEUE_SLOTS]);
        if (poni_cas(&q->head, &head, head + 1))
            return t;
    }
    return NULL;
}

/*
 * Another seat takes half of what is there, at most `cap`. How many. Taken with
 * a swap of the head, see above.
 */
static inline unsigned
runqueue_steal(struct poni_runqueue *q, struct pons_task **out, unsigned cap)
{
    uint64_t head = poni_load_acquire(&q->head);

    for (;;) {
        uint64_t n = poni_load_acquire(&q->tail) - head;

        n -= n / 2;
        if (n == 0)
            return 0;
        if (n > RUNQUEUE_SLOTS / 2) { // head and tail were read apart
            head = poni_load_acquire(&q->head);
            continue;
        }
        n = n < cap ? n : cap;
        for (uint64_t i = 0; i < n; i++)
            out[i] = poni_load_relaxed(&q->slots[(head + i) % RUNQUEUE_SLOTS]);
        if (poni_cas(&q->head, &head, head + n))
            return (unsigned)n;
    }
}

#endif /* PONI_RUNQUEUE_H */
