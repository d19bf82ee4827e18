/* SPDX-License-Identifier: MIT */
#ifndef PONI_LENT_H
#define PONI_LENT_H

/*
 * core/lent.h - the groups of buffers that the readiness adapter lends from:
 * what a ring of provided buffers is to io_uring, in user space. The owner's.
 */

#include "pons/reactor.h"

enum { LENT_GROUPS = 16 };

struct poni_lent_group {
    char *base; // NULL: there is no such group
    uint32_t size, count;
    uint32_t free; // how many of `index` are free: its first ones
    uint16_t *index;
    uint8_t *lent; // by number: it is out
};

struct poni_lent {
    const struct pons_host *host;
    struct poni_lent_group groups[LENT_GROUPS];
};

/* 0, -EEXIST, -EINVAL, -ENOMEM, -ENOSPC. */
int poni_lent_add(struct poni_lent *l, const struct pons_buffers *b);

/* NULL if there is none of that number. */
static inline struct poni_lent_group *
poni_lent_group(struct poni_lent *l, unsigned number)
{
    if (number >= LENT_GROUPS || l->groups[number].base == NULL)
        return NULL;
    return &l->groups[number];
}

/* The number of a buffer that is free, which stays so until it is taken; -1:
 * all are out. The one that came back last is warm, so it goes first. */
static inline int
poni_lent_peek(const struct poni_lent_group *g)
{
    return g->free > 0 ? g->index[g->free - 1] : -1;
}

/* That one goes out. */
static inline void
poni_lent_take(struct poni_lent_group *g)
{
    g->lent[g->index[--g->free]] = 1;
}

/* 0, or -EINVAL: it was not out. */
int poni_lent_return(struct poni_lent *l, const struct pons_lent_buffer *b);

void poni_lent_free(struct poni_lent *l);

#endif /* PONI_LENT_H */
