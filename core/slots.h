/* SPDX-License-Identifier: MIT */
#ifndef PONI_SLOTS_H
#define PONI_SLOTS_H

/*
 * core/slots.h - what the readiness adapter keeps of each descriptor: a table
 * by number, in chunks that never move. A slot is made when somebody first has
 * to wait on its descriptor. The owner's.
 */

#include <stddef.h>

#include "oplist.h"
#include "pons/plugin.h"

enum { SLOTS_CHUNK = 256 }; // 8 KiB, so that few descriptors cost little

enum slot_kind {
    KIND_UNKNOWN,
    KIND_STREAM, // TCP: a short count means empty (or full)
    KIND_OTHER,  // only EAGAIN does
};

struct poni_slot {
    struct pons_op *waiting[2]; // calls, to read and to write; in turn
    struct pons_op *watching;   // POLL and the like, out of turn
    uint32_t generation;        // of the descriptor number; in its cookie
    uint8_t had;                // directions that the poller watches
    uint8_t drained;            // part of `had`; core/adapter.c says what it is
    uint8_t kind;               // enum slot_kind
    uint8_t odd;                // enum poni_odd: what the adapter's set tells
};

PONS_STATIC_ASSERT(sizeof(struct poni_slot) == 32, "two to a cache line");

struct poni_slots {
    const struct pons_host *host;
    struct poni_slot **chunks; // NULL: none of these was waited on
    unsigned chunk_count;
};

/* NULL if there is none; also for a negative descriptor. */
static inline struct poni_slot *
poni_slots_find(const struct poni_slots *t, int fd)
{
    unsigned chunk = (unsigned)fd / SLOTS_CHUNK;

    if (chunk >= t->chunk_count || t->chunks[chunk] == NULL)
        return NULL;
    return &t->chunks[chunk][(unsigned)fd % SLOTS_CHUNK];
}

/* The slot of a descriptor that is open; NULL when there is no memory. */
struct poni_slot *poni_slots_make(struct poni_slots *t, int fd);

void poni_slots_free(struct poni_slots *t);

#endif /* PONI_SLOTS_H */
