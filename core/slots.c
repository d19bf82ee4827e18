/* SPDX-License-Identifier: MIT */
/*
 * core/slots.c - see core/slots.h.
 */

#include "slots.h"

#include <string.h>

enum { CHUNKS_MIN = 4 }; // in the first table, for 1024 descriptors; it doubles

static void
slots_free_table(struct poni_slots *t)
{
    if (t->chunks != NULL)
        t->host->free(t->host, t->chunks, t->chunk_count * sizeof(*t->chunks));
}

static int
slots_grow(struct poni_slots *t, unsigned chunk)
{
    unsigned count = t->chunk_count != 0 ? t->chunk_count : CHUNKS_MIN;
    struct poni_slot **chunks;

    while (count <= chunk)
        count *= 2;
    chunks = t->host->alloc(t->host, count * sizeof(*chunks));
    if (chunks == NULL)
        return 0;
    if (t->chunks != NULL)
        memcpy(chunks, t->chunks, t->chunk_count * sizeof(*chunks));
    slots_free_table(t);
    t->chunks = chunks;
    t->chunk_count = count;
    return 1;
}

struct poni_slot *
poni_slots_make(struct poni_slots *t, int fd)
{
    unsigned chunk = (unsigned)fd / SLOTS_CHUNK;

    if (chunk >= t->chunk_count && !slots_grow(t, chunk))
        return NULL;
    if (t->chunks[chunk] == NULL)
        t->chunks[chunk] =
            t->host->alloc(t->host, SLOTS_CHUNK * sizeof(struct poni_slot));
    return poni_slots_find(t, fd);
}

void
poni_slots_free(struct poni_slots *t)
{
    for (unsigned i = 0; i < t->chunk_count; i++)
        if (t->chunks[i] != NULL)
            t->host->free(t->host, t->chunks[i],
                          SLOTS_CHUNK * sizeof(struct poni_slot));
    slots_free_table(t);
}
