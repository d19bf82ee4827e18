/* SPDX-License-Identifier: MIT */
/*
 * core/slab.c - see core/slab.h.
 *
 * Slots are cut from a chunk in the order of addresses, when the free lists are
 * empty: a million tasks touch their memory once.
 */

#include "slab.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lock.h"

struct slab_chunk {
    struct poni_slab *slab;
    struct slab_chunk *next;
    uint32_t cut; // slots that have been given out at least once
    uint32_t reserved;
};

enum {
    SLAB_FIRST = 64, // where the slots begin, a cache line in
    SLAB_SLOTS = (SLAB_CHUNK - SLAB_FIRST) / sizeof(struct pons_task),
};

static struct pons_task *
chunk_slot(struct slab_chunk *c, uint32_t i)
{
    return (struct pons_task *)(void *)((char *)c + SLAB_FIRST) + i;
}

static struct slab_chunk *
chunk_of(const struct pons_task *t)
{
    return (struct slab_chunk *)((uintptr_t)t & ~(uintptr_t)(SLAB_CHUNK - 1));
}

void
poni_slab_init(struct poni_slab *s, int shared)
{
    memset(s, 0, sizeof *s);
    s->shared = (uint32_t)shared;
}

void
poni_slab_fini(struct poni_slab *s)
{
    struct slab_chunk *c = s->chunks, *next;

    for (; c != NULL; c = next) {
        next = c->next;
        munmap(c, SLAB_CHUNK);
    }
    s->chunks = NULL;
}

/* Maps twice as much as is needed and cuts off what is not aligned. */
static struct slab_chunk *
chunk_map(void)
{
    char *m = mmap(NULL, 2 * SLAB_CHUNK, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t before;

    if (m == MAP_FAILED)
        return NULL;
    before = (size_t)(-(uintptr_t)m & (SLAB_CHUNK - 1));
    if (before > 0)
        munmap(m, before);
    munmap(m + before + SLAB_CHUNK, SLAB_CHUNK - before);
    return (struct slab_chunk *)(void *)(m + before);
}

static int
slab_grow(struct poni_slab *s)
{
    struct slab_chunk *c = chunk_map();

    if (c == NULL)
        return 0;
    c->slab = s;
    c->next = s->chunks;
    /* Pairs with the acquire in poni_slab_each(): the chunk is filled in. */
    poni_store_release(&s->chunks, c);
    return 1;
}

static struct pons_task *
slab_cut(struct poni_slab *s)
{
    struct slab_chunk *c = s->chunks;
    struct pons_task *t;

    if (c == NULL || c->cut == SLAB_SLOTS) {
        if (!slab_grow(s))
            return NULL;
        c = s->chunks;
    }
    t = chunk_slot(c, c->cut);
    /* Pairs with the acquire in poni_slab_each(). Fresh memory is zero, which
     * is a free slot. */
    poni_store_release(&c->cut, c->cut + 1);
    return t;
}

static struct pons_task *
slab_take(struct poni_slab *s)
{
    struct pons_task *t = s->free;

    if (t == NULL && poni_load_relaxed(&s->returned) != NULL)
        /* Acquire pairs with the push: their links are in place. */
        t = poni_swap(&s->returned, NULL);
    if (t == NULL)
        return slab_cut(s);
    s->free = t->next;
    return t;
}

struct pons_task *
poni_slab_pop(struct poni_slab *s)
{
    struct pons_task *t;

    if (!s->shared) {
        t = slab_take(s);
        if (t != NULL)
            poni_count(&s->spawned);
        return t;
    }
    poni_lock(&s->lock);
    t = slab_take(s);
    if (t != NULL)
        poni_count(&s->spawned);
    poni_unlock(&s->lock);
    return t;
}

void
poni_slab_push(struct poni_slab *mine, struct pons_task *t)
{
    struct poni_slab *s = chunk_of(t)->slab;
    struct pons_task *head;

    if (s == mine) {
        t->next = s->free;
        s->free = t;
        return;
    }
    head = poni_load_relaxed(&s->returned);
    do
        t->next = head;
    while (!poni_cas(&s->returned, &head, t));
}

void
poni_slab_each(struct poni_slab *s,
               void (*visit)(struct pons_task *t, void *arg), void *arg)
{
    struct slab_chunk *c = poni_load_acquire(&s->chunks);

    for (; c != NULL; c = c->next) {
        uint32_t cut = poni_load_acquire(&c->cut);

        for (uint32_t i = 0; i < cut; i++)
            visit(chunk_slot(c, i), arg);
    }
}

uint64_t
poni_slab_out(struct poni_slab *s)
{
    uint64_t n = 0;

    for (struct slab_chunk *c = s->chunks; c != NULL; c = c->next)
        n += c->cut;
    for (struct pons_task *t = s->free; t != NULL; t = t->next)
        n--;
    /* Acquire pairs with the push, its thread's last touch. */
    for (struct pons_task *t = poni_load_acquire(&s->returned); t != NULL;
         t = t->next)
        n--;
    return n;
}
