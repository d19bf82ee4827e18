/* SPDX-License-Identifier: MIT */
/*
 * backends/uring_buffers.c - groups of buffers for RECV_MULTI.
 *
 * The kernel takes a buffer from the group's ring when there are bytes for it.
 * That ring is memory of our own, which the kernel keeps pinned, so it is no
 * forked child's.
 */

#include "uring.h"

#include <errno.h>
#include <sys/mman.h>

enum { BITS = 64 }; // of a word of `lent`

static size_t
group_words(const struct uring_group *g)
{
    return (g->buffers.count + BITS - 1) / BITS;
}

static struct uring_group *
group_find(const struct uring *u, uint16_t number)
{
    for (unsigned i = 0; u->groups != NULL && i < URING_GROUPS; i++)
        if (u->groups[i].buffers.count != 0 &&
            u->groups[i].buffers.group == number)
            return &u->groups[i];
    return NULL;
}

static struct uring_group *
group_free_place(struct uring *u)
{
    for (unsigned i = 0; i < URING_GROUPS; i++)
        if (u->groups[i].buffers.count == 0)
            return &u->groups[i];
    return NULL;
}

static void
group_give(struct uring_group *g, uint16_t index)
{
    io_uring_buf_ring_add(
        g->ring, (char *)g->buffers.base + (size_t)index * g->buffers.size,
        g->buffers.size, index, (int)g->buffers.count - 1, 0);
    io_uring_buf_ring_advance(g->ring, 1);
}

static void
group_free(struct uring *u, struct uring_group *g, int forked)
{
    if (!forked)
        munmap(g->ring, g->ring_size);
    u->host->free(u->host, g->lent, group_words(g) * sizeof *g->lent);
    *g = (struct uring_group){0};
}

static int
group_map(struct uring_group *g)
{
    g->ring_size = g->buffers.count * sizeof(struct io_uring_buf);
    g->ring = mmap(NULL, g->ring_size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (g->ring == MAP_FAILED)
        return -ENOMEM;
    (void)madvise(g->ring, g->ring_size, MADV_DONTFORK);
    return 0;
}

static int
group_register(const struct uring *u, const struct uring_group *g)
{
    struct io_uring_buf_reg reg = {.ring_addr = (uintptr_t)g->ring,
                                   .ring_entries = g->buffers.count,
                                   .bgid = g->buffers.group};

    return poni_uring_register(&u->ring, IORING_REGISTER_PBUF_RING, &reg, 1);
}

static int
group_open(struct uring *u, struct uring_group *g, const struct pons_buffers *b)
{
    int err;

    g->buffers = *b;
    g->lent = u->host->alloc(u->host, group_words(g) * sizeof *g->lent);
    if (g->lent == NULL) {
        *g = (struct uring_group){0};
        return -ENOMEM;
    }
    err = group_map(g);
    if (err < 0) {
        g->ring = NULL;
        group_free(u, g, 1); // nothing is mapped
        return err;
    }
    io_uring_buf_ring_init(g->ring);
    for (unsigned i = 0; i < b->count; i++)
        group_give(g, (uint16_t)i);
    err = group_register(u, g);
    if (err < 0)
        group_free(u, g, 0);
    return err;
}

static int
lend_is_wrong(const struct pons_buffers *b)
{
    return b->base == NULL || b->size == 0 || b->count == 0 ||
           b->count > PONS_BUFFERS_MAX || (b->count & (b->count - 1)) != 0 ||
           b->ahead != 0 || b->reserved[0] != 0 || b->reserved[1] != 0;
}

int
poni_uring_lend(struct uring *u, const struct pons_buffers *b)
{
    struct uring_group *g;

    if (lend_is_wrong(b))
        return -EINVAL;
    if (group_find(u, b->group) != NULL)
        return -EEXIST;
    if (u->groups == NULL)
        u->groups = u->host->alloc(u->host, URING_GROUPS * sizeof *u->groups);
    if (u->groups == NULL)
        return -ENOMEM;
    g = group_free_place(u);
    return g != NULL ? group_open(u, g, b) : -ENOSPC;
}

int
poni_uring_has_group(const struct uring *u, uint16_t group)
{
    return group_find(u, group) != NULL;
}

void
poni_uring_lent(struct uring *u, uint16_t group, uint16_t index)
{
    struct uring_group *g = group_find(u, group);

    g->lent[index / BITS] |= UINT64_C(1) << index % BITS;
}

void
poni_uring_not_lent(struct uring *u, uint16_t group, uint16_t index)
{
    group_give(group_find(u, group), index);
}

int
poni_uring_return(struct uring *u, const struct pons_lent_buffer *l)
{
    struct uring_group *g = group_find(u, l->group);
    uint64_t bit = UINT64_C(1) << l->index % BITS;

    if (g == NULL || l->index >= g->buffers.count ||
        !(g->lent[l->index / BITS] & bit))
        return -EINVAL;
    g->lent[l->index / BITS] &= ~bit;
    group_give(g, l->index);
    return 0;
}

void
poni_uring_free_groups(struct uring *u, int forked)
{
    if (u->groups == NULL)
        return;
    for (unsigned i = 0; i < URING_GROUPS; i++)
        if (u->groups[i].buffers.count != 0)
            group_free(u, &u->groups[i], forked);
    u->host->free(u->host, u->groups, URING_GROUPS * sizeof *u->groups);
}
