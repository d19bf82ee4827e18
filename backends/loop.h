/* SPDX-License-Identifier: MIT */
#ifndef BACKENDS_LOOP_H
#define BACKENDS_LOOP_H

/*
 * backends/loop.h - a poller over a library's loop: what libev.c and libuv.c
 * have in common.
 *
 * A library calls back, a poller fills an array. So wait() lets the loop make
 * turns, whose callbacks only note in the descriptor's watch what is ready and
 * queue it, and takes from the head of the queue: what did not fit comes first
 * the next time.
 *
 * Watches stand in chunks that are never moved, for the library has pointers
 * into them, and stay for the next descriptor of that number: after warm-up
 * nothing is allocated.
 *
 * The trap is a descriptor that was closed between control() and wait(). These
 * libraries register late, and end the process when the kernel declines; so
 * what has changed is looked at before the loop does.
 *
 * All here is the owner's, but loop_wake().
 */

#include "pons/op.h"
#include "pons/poller.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    LOOP_CHUNK = 64,     // watches that are asked for at once
    LOOP_CHUNKS_MIN = 16 // room of the table; it doubles
};

/* The circles that a watch may be in. */
enum loop_list {
    LOOP_READY,   // to be reported
    LOOP_CHANGED, // since the loop has made a turn
    LOOP_LISTS,
};

/* An engine's own struct begins with it. */
struct loop_watch {
    struct loop_watch *next[LOOP_LISTS]; // NULL: not in that list
    uint64_t cookie;
    int fd;
    uint8_t want;  // enum pons_direction; 0: nobody cares for it
    uint8_t ready; // of these, what wait() has not reported yet
};

/* An engine's own struct begins with it. */
struct loop {
    struct pons_poller base;

    /* Set once, by the engine. */
    const struct pons_host *host;
    size_t watch_size; // of its struct
    /* One turn, which sleeps for so long at most, and may come back sooner.
     * PONS_NEVER: until there is something; 0: not at all. 0, or -errno: broken
     * for good. */
    int (*turn)(struct loop *l, uint64_t left_ns);
    /* Takes out one whose descriptor is closed. */
    void (*drop)(struct loop *l, struct loop_watch *w);

    char **chunks; // by descriptor / LOOP_CHUNK; NULL: not yet
    unsigned room; // of `chunks`
    struct loop_watch *last[LOOP_LISTS]; // of each circle; NULL: empty
    struct pons_op *ended; // the last of a circle by op->next, to be reported
    int bell;      // the eventfd behind wake(), which the engine watches
    unsigned rung; // how often that was reported, in this wait()
};

static inline struct loop *
loop_of(struct pons_poller *p)
{
    return pons_container_of(p, struct loop, base);
}

/* --- lists --- */

static inline void
loop_push(struct loop *l, enum loop_list list, struct loop_watch *w)
{
    struct loop_watch **last = &l->last[list];

    if (w->next[list] != NULL)
        return; // it is there already, and keeps its place
    w->next[list] = w;
    if (*last != NULL) {
        w->next[list] = (*last)->next[list];
        (*last)->next[list] = w;
    }
    *last = w;
}

static inline struct loop_watch *
loop_pop(struct loop *l, enum loop_list list)
{
    struct loop_watch **last = &l->last[list], *w;

    if (*last == NULL)
        return NULL;
    w = (*last)->next[list];
    (*last)->next[list] = w->next[list];
    if (w == *last)
        *last = NULL;
    w->next[list] = NULL;
    return w;
}

/* --- watches --- */

static inline void *
loop_find(const struct loop *l, int fd)
{
    return l->chunks[fd / LOOP_CHUNK] +
           (size_t)(fd % LOOP_CHUNK) * l->watch_size;
}

static inline int
loop_grow(struct loop *l, unsigned chunk)
{
    unsigned room = l->room != 0 ? l->room : LOOP_CHUNKS_MIN;
    char **chunks;

    while (room <= chunk)
        room *= 2;
    chunks = l->host->alloc(l->host, room * sizeof *chunks);
    if (chunks == NULL)
        return -ENOMEM;
    if (l->room != 0) {
        memcpy(chunks, l->chunks, l->room * sizeof *chunks);
        l->host->free(l->host, l->chunks, l->room * sizeof *chunks);
    }
    l->chunks = chunks;
    l->room = room;
    return 0;
}

/* The watch of `fd`, which is not negative; NULL without memory. */
static inline void *
loop_make(struct loop *l, int fd)
{
    unsigned chunk = (unsigned)fd / LOOP_CHUNK;
    struct loop_watch *w;

    if (chunk >= l->room && loop_grow(l, chunk) < 0)
        return NULL;
    if (l->chunks[chunk] == NULL)
        l->chunks[chunk] = l->host->alloc(l->host, LOOP_CHUNK * l->watch_size);
    if (l->chunks[chunk] == NULL)
        return NULL;
    w = loop_find(l, fd);
    w->fd = fd;
    return w;
}

/* What control() has agreed to. */
static inline void
loop_want(struct loop *l, struct loop_watch *w, uint64_t cookie, unsigned want)
{
    w->cookie = cookie;
    w->want = (uint8_t)want;
    w->ready &= (uint8_t)want;
    loop_push(l, LOOP_CHANGED, w);
}

/* What a callback has heard. */
static inline void
loop_report(struct loop *l, struct loop_watch *w, unsigned ready)
{
    w->ready |= (uint8_t)(ready & w->want);
    if (w->ready != 0)
        loop_push(l, LOOP_READY, w);
}

/* A callback has heard that an op of submit() has ended. */
static inline void
loop_ended(struct loop *l, struct pons_op *op)
{
    op->next = op;
    if (l->ended != NULL) {
        op->next = l->ended->next;
        l->ended->next = op;
    }
    l->ended = op;
}

/* --- wait and wake --- */

/* Whoever waits for one that is closed shall look: the system call finds the
 * errno. */
static inline void
loop_drop_closed(struct loop *l)
{
    struct loop_watch *w;

    while ((w = loop_pop(l, LOOP_CHANGED)) != NULL)
        if (w->want != 0 && fcntl(w->fd, F_GETFD) < 0) {
            loop_report(l, w, w->want);
            l->drop(l, w);
        }
}

static inline unsigned
loop_fill_ended(struct loop *l, struct pons_ready *ready, unsigned cap)
{
    unsigned filled = 0;

    while (filled < cap && l->ended != NULL) {
        struct pons_op *op = l->ended->next;

        l->ended->next = op->next;
        if (op == l->ended)
            l->ended = NULL;
        ready[filled++] =
            (struct pons_ready){.cookie = (uintptr_t)op, .ready = PONS_ENDED};
    }
    return filled;
}

/* How many were filled. A watch that was taken back has nothing ready. */
static inline unsigned
loop_fill(struct loop *l, struct pons_ready *ready, unsigned cap)
{
    unsigned filled = loop_fill_ended(l, ready, cap);

    while (filled < cap) {
        struct loop_watch *w = loop_pop(l, LOOP_READY);

        if (w == NULL)
            break;
        if (w->ready != 0)
            ready[filled++] =
                (struct pons_ready){.cookie = w->cookie, .ready = w->ready};
        w->ready = 0;
    }
    return filled;
}

/* How long a wait() may sleep; 0: not at all, or not any more. */
static inline uint64_t
loop_left(const struct loop *l, uint64_t deadline_ns)
{
    uint64_t now;

    if (deadline_ns == PONS_NEVER || deadline_ns == 0)
        return deadline_ns;
    now = l->host->now(l->host);
    return deadline_ns > now ? deadline_ns - now : 0;
}

static inline int
loop_wait(struct pons_poller *p, struct pons_ready *ready, unsigned cap,
          uint64_t deadline_ns)
{
    struct loop *l = loop_of(p);
    uint64_t left = loop_left(l, deadline_ns);
    unsigned n;
    int err;

    loop_drop_closed(l);
    l->rung = 0;
    n = loop_fill(l, ready, cap);
    while (n == 0) {
        err = l->turn(l, left);
        if (err < 0)
            return err;
        n = loop_fill(l, ready, cap);
        left = loop_left(l, deadline_ns);
        if (l->rung > 0 || left == 0)
            break;
    }
    return (int)n;
}

/* The bell was reported. */
static inline void
loop_rung(struct loop *l)
{
    uint64_t rings;

    (void)!read(l->bell, &rings, sizeof rings);
    l->rung++;
}

/* Any thread, any signal handler: write(2) is safe in both. */
static inline int
loop_wake(struct pons_poller *p)
{
    uint64_t one = 1;
    int saved = errno;

    (void)!write(loop_of(p)->bell, &one, sizeof one);
    errno = saved;
    return 0;
}

/* --- open and close --- */

static inline int
loop_refuse(const struct pons_host *h, struct pons_reason *reason, int err,
            const char *what)
{
    return h->refuse(reason, err, "%s: %s", what, strerror(-err));
}

/* The part of an engine's struct of `size` bytes, with a bell; or NULL, and
 * *err is set. */
static inline void *
loop_open(const struct pons_host *h, size_t size, size_t watch_size,
          struct pons_reason *reason, int *err)
{
    struct loop *l = h->alloc(h, size);

    if (l == NULL) {
        *err = h->refuse(reason, -ENOMEM, "no memory for the poller");
        return NULL;
    }
    l->host = h;
    l->watch_size = watch_size;
    l->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->bell >= 0)
        return l;
    *err = loop_refuse(h, reason, -errno, "eventfd");
    h->free(h, l, size);
    return NULL;
}

static inline void
loop_close(struct loop *l, size_t size)
{
    const struct pons_host *h = l->host;

    close(l->bell);
    for (unsigned i = 0; i < l->room; i++)
        if (l->chunks[i] != NULL)
            h->free(h, l->chunks[i], LOOP_CHUNK * l->watch_size);
    if (l->room != 0)
        h->free(h, l->chunks, l->room * sizeof *l->chunks);
    h->free(h, l, size);
}

#endif /* BACKENDS_LOOP_H */
