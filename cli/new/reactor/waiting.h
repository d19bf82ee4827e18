/* SPDX-License-Identifier: MIT */
#ifndef WAITING_H
#define WAITING_H

/*
 * waiting.h - the operations that wait, by what they wait for.
 *
 * One array, an entry for each descriptor, as poll(2) wants it; beside it the
 * queues of the same entries. Two entries are no descriptor: the bell of
 * wake(), and the retries, whose room nothing reports.
 */

#include <pons/plugin.h>

#include <string.h>
#include <sys/stat.h>

#include "call.h"

enum {
    BELL = 0,      // the entry of the bell
    RETRIES = 1,   // of connects that a full listener has put off
    FIRST = 2,     // of the descriptors
    SIZE_MIN = 64, // of the arrays; they double
    ENTRY = sizeof(struct pons_op *) + sizeof(struct pollfd), // in both arrays
};

struct waiting {
    const struct pons_host *host;
    struct pollfd *fds;   // [0 .. count-1] are in use
    struct pons_op **ops; // of the same entries; oldest first, but POLLs before
    unsigned count, size;
};

static void
waiting_fini(struct waiting *w)
{
    if (w->size != 0)
        w->host->free(w->host, w->ops, w->size * ENTRY);
}

/* Both arrays are one piece of memory. */
static int
waiting_grow(struct waiting *w)
{
    unsigned size = w->size != 0 ? w->size * 2 : SIZE_MIN;
    struct pons_op **ops = w->host->alloc(w->host, size * ENTRY);
    struct pollfd *fds;

    if (ops == NULL)
        return -ENOMEM;
    fds = (void *)(ops + size);
    if (w->size != 0) {
        memcpy(ops, w->ops, w->count * sizeof *ops);
        memcpy(fds, w->fds, w->count * sizeof *fds);
    }
    waiting_fini(w);
    w->ops = ops;
    w->fds = fds;
    w->size = size;
    return 0;
}

static int
waiting_init(struct waiting *w, const struct pons_host *host, int bell)
{
    w->host = host;
    if (waiting_grow(w) < 0)
        return -ENOMEM;
    w->fds[BELL] = (struct pollfd){.fd = bell, .events = POLLIN};
    w->fds[RETRIES] = (struct pollfd){.fd = -1}; // which poll(2) passes over
    w->count = FIRST;
    return 0;
}

/* The entry of a descriptor; `count` if nothing waits for it. */
static unsigned
waiting_find(const struct waiting *w, int fd)
{
    unsigned i = FIRST;

    while (i < w->count && w->fds[i].fd != fd)
        i++;
    return i;
}

/* poll(2) says of files that they are ready, always: -EPERM. */
static int
waiting_add(struct waiting *w, int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))
        return -EPERM;
    if (w->count == w->size && waiting_grow(w) < 0)
        return -ENOMEM;
    w->ops[w->count] = NULL;
    w->fds[w->count++] = (struct pollfd){.fd = fd};
    return 0;
}

/* Its queue has changed: poll(2) is to look for what is wanted now. An entry
 * that nobody waits in goes, and the last one takes its place. */
static void
waiting_update(struct waiting *w, unsigned i)
{
    if (w->ops[i] == NULL && i >= FIRST) {
        w->fds[i] = w->fds[--w->count];
        w->ops[i] = w->ops[w->count];
        return;
    }
    w->fds[i].events = 0;
    for (const struct pons_op *op = w->ops[i]; op != NULL; op = op->next)
        w->fds[i].events |= call_events(op);
}

/* POLLs come first: they are told of bytes that a call then takes. */
static void
waiting_push(struct waiting *w, unsigned i, struct pons_op *op)
{
    struct pons_op **at = &w->ops[i];

    while (*at != NULL && op->opcode != PONS_OP_POLL)
        at = &(*at)->next;
    op->next = *at;
    *at = op;
    waiting_update(w, i);
}

static void
waiting_remove(struct waiting *w, unsigned i, const struct pons_op *op)
{
    struct pons_op **at = &w->ops[i];

    while (*at != op)
        at = &(*at)->next;
    *at = op->next;
    waiting_update(w, i);
}

/* Whether one who wants the same waits already: calls are made in turn. */
static int
waiting_ahead(const struct waiting *w, const struct pons_op *op)
{
    unsigned i = waiting_find(w, op->fd);
    const struct pons_op *other = i < w->count ? w->ops[i] : NULL;

    if (op->opcode == PONS_OP_POLL)
        return 0;
    while (other != NULL && (other->opcode == PONS_OP_POLL ||
                             call_events(other) != call_events(op)))
        other = other->next;
    return other != NULL;
}

#endif /* WAITING_H */
