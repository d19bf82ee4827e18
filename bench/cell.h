/* SPDX-License-Identifier: MIT */
#ifndef BENCH_CELL_H
#define BENCH_CELL_H

/*
 * bench/cell.h - the smallest thing to wait for: one task waits, another task
 * or thread rings.
 *
 *   EMPTY -> FULL              cell_ring(), and nobody waits
 *   EMPTY -> WAITING           cell_poll(), which leaves its waker
 *   WAITING -> TAKEN -> FULL   cell_ring(), which takes the waker in between
 *   FULL -> EMPTY              cell_poll(), ready
 *
 * When the waiter sees FULL the ringer is done with the cell.
 */

#include <pons/future.h>

#include "core/atomic.h"

enum cell_state { CELL_EMPTY, CELL_WAITING, CELL_TAKEN, CELL_FULL };

struct cell {
    struct pons_future base;
    struct pons_waker waker;
    uint32_t state; // enum cell_state; all 0 is empty
};

static inline enum pons_poll
cell_poll(struct pons_future *f, struct pons_waker *w)
{
    struct cell *c = pons_container_of(f, struct cell, base);
    uint32_t state = poni_load_acquire(&c->state); // cell_ring()'s

    if (state == CELL_EMPTY) {
        pons_waker_set(&c->waker, w);
        while (state == CELL_EMPTY)
            if (poni_cas(&c->state, &state, (uint32_t)CELL_WAITING))
                return PONS_PENDING;
        pons_waker_drop(&c->waker);
    }
    if (state != CELL_FULL)
        return PONS_PENDING; // polled for another reason
    poni_store_relaxed(&c->state, CELL_EMPTY);
    f->result = 0;
    return PONS_READY;
}

static const struct pons_future_ops cell_ops = {
    .size = sizeof cell_ops, .name = "cell", .poll = cell_poll};

/* To be awaited next; a ring that came before counts. */
static inline void
cell_wait_init(struct cell *c)
{
    pons_future_init(&c->base, &cell_ops);
}

/* One ringer at a time, and one ring for each wait. */
static inline void
cell_ring(struct cell *c)
{
    struct pons_waker waker;
    uint32_t state = CELL_EMPTY;

    while (state == CELL_EMPTY)
        if (poni_cas(&c->state, &state, (uint32_t)CELL_FULL))
            return;
    poni_store_relaxed(&c->state, CELL_TAKEN);
    waker = c->waker;
    c->waker = (struct pons_waker){NULL, NULL};
    /* Pairs with the acquire in cell_poll(): the waker is out. */
    poni_store_release(&c->state, CELL_FULL);
    pons_waker_wake(&waker);
}

#endif /* BENCH_CELL_H */
