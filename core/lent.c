/* SPDX-License-Identifier: MIT */
/*
 * core/lent.c - see core/lent.h.
 */

#include "lent.h"

#include <errno.h>

static int
buffers_are_right(const struct pons_buffers *b)
{
    return b->base != NULL && b->size > 0 && b->count > 0 &&
           b->count <= PONS_BUFFERS_MAX && (b->count & (b->count - 1)) == 0;
}

/* One piece of memory: `index`, and behind it `lent`. */
static size_t
group_bytes(uint32_t count)
{
    return count * (sizeof(uint16_t) + sizeof(uint8_t));
}

int
poni_lent_add(struct poni_lent *l, const struct pons_buffers *b)
{
    struct poni_lent_group *g;
    uint16_t *index;

    if (!buffers_are_right(b))
        return -EINVAL;
    if (b->group >= LENT_GROUPS)
        return -ENOSPC;
    g = &l->groups[b->group];
    if (g->base != NULL)
        return -EEXIST;
    index = l->host->alloc(l->host, group_bytes(b->count));
    if (index == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < b->count; i++)
        index[i] = (uint16_t)(b->count - 1 - i);
    *g = (struct poni_lent_group){.base = b->base,
                                  .size = b->size,
                                  .count = b->count,
                                  .free = b->count,
                                  .index = index,
                                  .lent = (uint8_t *)(index + b->count)};
    return 0;
}

int
poni_lent_return(struct poni_lent *l, const struct pons_lent_buffer *b)
{
    struct poni_lent_group *g = poni_lent_group(l, b->group);

    if (g == NULL || b->index >= g->count || !g->lent[b->index])
        return -EINVAL;
    g->lent[b->index] = 0;
    g->index[g->free++] = b->index;
    return 0;
}

void
poni_lent_free(struct poni_lent *l)
{
    for (unsigned i = 0; i < LENT_GROUPS; i++)
        if (l->groups[i].base != NULL)
            l->host->free(l->host, l->groups[i].index,
                          group_bytes(l->groups[i].count));
}
