/* SPDX-License-Identifier: MIT */
#ifndef GATE_H
#define GATE_H

/*
 * tests/gate.h - a leaf future that ends when the test says so.
 *
 *     gate_await(&gate);      // by calling; or embed a struct gate_wait
 *     gate_open(&gate);       // any thread; who waits, or comes later, goes on
 *
 * One waits at a time. A zeroed gate is closed.
 */

#include <errno.h>
#include <sched.h>

#include "core/lock.h"
#include "pons/future.h"

struct gate {
    uint32_t lock, opened;
    uint32_t waiting;   // atomic: somebody has left a waker
    int polls, cancels; // atomic
    struct pons_waker waker;
};

struct gate_wait {
    struct pons_future base;
    struct gate *gate;
};

static inline enum pons_poll
gate_poll(struct pons_future *f, struct pons_waker *w)
{
    struct gate *g = pons_container_of(f, struct gate_wait, base)->gate;

    poni_lock(&g->lock);
    poni_add(&g->polls, 1);
    if (f->result == -EINPROGRESS && g->opened)
        f->result = 0;
    if (f->result == -EINPROGRESS) {
        pons_waker_set(&g->waker, w);
        poni_store_release(&g->waiting, 1);
    } else {
        pons_waker_drop(&g->waker);
        poni_store_release(&g->waiting, 0);
    }
    poni_unlock(&g->lock);
    return f->result == -EINPROGRESS ? PONS_PENDING : PONS_READY;
}

static inline void
gate_cancel(struct pons_future *f)
{
    struct gate *g = pons_container_of(f, struct gate_wait, base)->gate;

    poni_lock(&g->lock);
    poni_add(&g->cancels, 1);
    if (f->result == -EINPROGRESS)
        f->result = -ECANCELED;
    poni_unlock(&g->lock);
}

static const struct pons_future_ops gate_ops = {
    .size = sizeof gate_ops,
    .name = "gate",
    .poll = gate_poll,
    .cancel = gate_cancel,
};

static inline void
gate_wait_init(struct gate_wait *wait, struct gate *g)
{
    pons_future_init(&wait->base, &gate_ops);
    wait->gate = g;
}

static inline void
gate_open(struct gate *g)
{
    struct pons_waker w;

    poni_lock(&g->lock);
    g->opened = 1;
    w = g->waker;
    g->waker = (struct pons_waker){NULL, NULL};
    poni_unlock(&g->lock);
    pons_waker_wake(&w);
}

static inline int64_t
gate_await(struct gate *g)
{
    struct gate_wait wait;

    gate_wait_init(&wait, g);
    return pons_await(&wait.base);
}

/* Until somebody waits there. Yields, so that it may be a task of the caller's
 * own thread. */
static inline void
gate_until_awaited(struct gate *g)
{
    while (!poni_load_acquire(&g->waiting)) {
        (void)!pons_yield();
        (void)sched_yield();
    }
}

/* Until somebody waits, or has waited. */
static inline void
gate_until_polled(struct gate *g)
{
    while (!poni_load_acquire(&g->polls)) {
        (void)!pons_yield();
        (void)sched_yield();
    }
}

#endif /* GATE_H */
