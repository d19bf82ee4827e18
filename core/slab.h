/* SPDX-License-Identifier: MIT */
#ifndef PONI_SLAB_H
#define PONI_SLAB_H

/*
 * core/slab.h - where task headers live: pop and push on a free list.
 *
 * A slab belongs to one seat (or, with its lock, to all other threads). Its
 * owner pops and pushes without atomics; any other thread gives a task back by
 * a push on `returned`, which the owner takes whole when its own list is empty.
 * Memory is never given back before poni_slab_fini(), so the word of a task
 * that was freed stays a word that may be looked at (core/dump.c, shutdown).
 *
 *   a slot is     its `next` links      its word
 *   live          run queues            as core/task_state.h says
 *   free          the free list         0: IDLE without references
 *   returned      the returned list     0
 */

#include "task.h"

enum {
    SLAB_CHUNK = 256 << 10, // bytes; aligned to its size, so that a task
                            // finds its slab
};

struct poni_slab {
    /* The owner's, or under `lock`. */
    struct pons_task *free;
    struct slab_chunk *chunks; // newest first; readers follow it by acquire
    uint64_t spawned;          // one writer; any reader
    uint32_t lock;             // used by the slab that has no owner thread
    uint32_t shared;           // whether it is

    /* Any thread. */
    __attribute__((aligned(64))) struct pons_task *returned;
};

void poni_slab_init(struct poni_slab *s, int shared);
void poni_slab_fini(struct poni_slab *s);

/* A task with undefined contents, or NULL. The owner; any thread if shared. */
struct pons_task *poni_slab_pop(struct poni_slab *s);

/* Gives `t` back to its slab. `mine`: the slab that the caller owns, or NULL.
 */
void poni_slab_push(struct poni_slab *mine, struct pons_task *t);

/* Calls visit for every slot, live or not. Any thread. */
void poni_slab_each(struct poni_slab *s,
                    void (*visit)(struct pons_task *t, void *arg), void *arg);

/* How many slots are not free. Of a slab that nobody pops from any more; who
 * pushes has let go of the slab when its slot is counted free. */
uint64_t poni_slab_out(struct poni_slab *s);

#endif /* PONI_SLAB_H */
