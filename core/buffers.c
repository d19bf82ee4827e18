/* SPDX-License-Identifier: MIT */
/*
 * core/buffers.c - see core/buffers.h.
 */

#include "buffers.h"

#include <errno.h>
#include <stdlib.h>

#include "fork.h"
#include "lock.h"
#include "opcode.h"
#include "self.h"

enum {
    GROUP = 0,        // its number, the same on every seat
    ALIGNMENT = 4096, // of the bytes: a page
};

struct poni_buffers {
    char *base;
    uint64_t epoch; // of the process that made it (P10)
    unsigned ahead;

    uint32_t lock;          // guards what follows
    uint32_t out;           // how many are lent
    struct poni_seat *seat; // NULL: its reactor is closed
    struct poni_buffer *returned;
    struct poni_buffer items[];
};

/* --- the group of a seat --- */

/* Makes what `group` says, and makes it what LEND wants. */
static struct poni_buffers *
buffers_new(struct poni_seat *s, struct pons_buffers *group)
{
    size_t bytes = (size_t)group->count * group->size;
    struct poni_buffers *b =
        calloc(1, sizeof *b + group->count * sizeof *b->items);

    if (b == NULL)
        return NULL;
    bytes = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    group->base = b->base = aligned_alloc(ALIGNMENT, bytes);
    if (b->base == NULL) {
        free(b);
        return NULL;
    }
    b->epoch = poni_epoch();
    b->ahead = group->ahead;
    group->ahead = 0; // not the engine's
    b->seat = s;
    for (uint32_t i = 0; i < group->count; i++)
        b->items[i] = (struct poni_buffer){
            .of = b, .data = b->base + (size_t)i * group->size, .number = i};
    return b;
}

static void
buffers_free(struct poni_buffers *b)
{
    free(b->base);
    free(b);
}

struct poni_buffers *
poni_buffers_of(struct poni_seat *s)
{
    struct pons_reactor *r = s->reactor;
    struct pons_buffers group = {.size = BUFFER_BYTES,
                                 .count = BUFFERS,
                                 .group = GROUP,
                                 .ahead = BUFFERS_AHEAD};

    if (s->buffers != NULL || s->lend_tried)
        return s->buffers;
    s->lend_tried = 1;
    if (!poni_reactor_has(r, PONS_OP_RECV_MULTI) || r->ops->control == NULL)
        return NULL;
    (void)r->ops->control(r, PONS_CONTROL_LENDING, &group); // or as it is
    s->buffers = buffers_new(s, &group);
    if (s->buffers == NULL)
        return NULL;
    if (r->ops->control(r, PONS_CONTROL_LEND, &group) == 0)
        return s->buffers;
    buffers_free(s->buffers);
    s->buffers = NULL;
    return NULL;
}

unsigned
poni_buffers_ahead(const struct poni_seat *s)
{
    return s->buffers != NULL ? s->buffers->ahead : BUFFERS_AHEAD;
}

struct poni_buffer *
poni_buffers_lent(struct poni_seat *s, unsigned number, uint32_t size)
{
    struct poni_buffers *b = s->buffers;
    struct poni_buffer *item = &b->items[number];

    poni_lock(&b->lock);
    b->out++;
    poni_unlock(&b->lock);
    item->next = NULL;
    item->size = size;
    return item;
}

/* The owner of the seat. */
static void
reactor_return(struct poni_seat *s, const struct poni_buffer *item)
{
    struct pons_lent_buffer back = {.group = GROUP,
                                    .index = (uint16_t)item->number};

    (void)s->reactor->ops->control(s->reactor, PONS_CONTROL_RETURN, &back);
}

void
poni_buffers_collect(struct poni_seat *s)
{
    struct poni_buffers *b = s->buffers;
    struct poni_buffer *item;

    /* Relaxed: what is seen late is collected by the next look. */
    if (b == NULL || poni_load_relaxed(&b->returned) == NULL)
        return;
    poni_lock(&b->lock);
    item = b->returned;
    poni_store_relaxed(&b->returned, NULL);
    poni_unlock(&b->lock);
    for (; item != NULL; item = item->next)
        reactor_return(s, item);
}

void
poni_buffers_close(struct poni_seat *s)
{
    struct poni_buffers *b = s->buffers;
    int last;

    if (b == NULL)
        return;
    s->buffers = NULL;
    poni_lock(&b->lock);
    b->seat = NULL;
    last = b->out == 0;
    poni_unlock(&b->lock);
    if (last)
        buffers_free(b);
}

/* --- items --- */

struct poni_buffer *
poni_buffer_new(uint32_t size)
{
    struct poni_buffer *item = malloc(sizeof *item + size);

    if (item != NULL)
        *item = (struct poni_buffer){.data = (char *)(item + 1), .size = size};
    return item;
}

static void
group_return(struct poni_buffers *b, struct poni_buffer *item)
{
    struct poni_seat *here = NULL;
    int last;

    poni_lock(&b->lock);
    b->out--;
    last = b->seat == NULL && b->out == 0;
    if (b->seat != NULL && b->seat == poni_self_now()->seat) {
        here = b->seat;
    } else {
        item->next = b->returned;
        poni_store_relaxed(&b->returned, item);
    }
    poni_unlock(&b->lock);
    if (here != NULL)
        reactor_return(here, item);
    else if (last)
        buffers_free(b);
}

void
poni_buffer_return(struct poni_buffer *item)
{
    if (item->of == NULL)
        free(item);
    else if (poni_epoch_is(item->of->epoch)) // else the parent's copy
        group_return(item->of, item);
}
