/* SPDX-License-Identifier: MIT */
/*
 * core/timers.c - see core/timers.h.
 *
 * links[CHILD] is the first child, links[NEXT] the next sibling, links[BEFORE]
 * the sibling before, or the parent of a first child. The root has no siblings.
 */

#include "timers.h"

#include <errno.h>

#include "lock.h"

enum { CHILD, NEXT, BEFORE };

static struct pons_sleep *
link_of(const struct pons_sleep *s, int which)
{
    return s->links[which];
}

static int
sleep_before(const struct pons_sleep *a, const struct pons_sleep *b)
{
    if (a->deadline_ns != b->deadline_ns)
        return a->deadline_ns < b->deadline_ns;
    return a->base.reserved < b->base.reserved;
}

/* Merges two heaps without siblings. */
static struct pons_sleep *
heap_merge(struct pons_sleep *a, struct pons_sleep *b)
{
    struct pons_sleep *child;

    if (a == NULL || b == NULL)
        return a != NULL ? a : b;
    if (sleep_before(b, a)) {
        struct pons_sleep *t = a;

        a = b;
        b = t;
    }
    child = link_of(a, CHILD);
    b->links[NEXT] = child;
    b->links[BEFORE] = a;
    if (child != NULL)
        child->links[BEFORE] = b;
    a->links[CHILD] = b;
    a->links[NEXT] = a->links[BEFORE] = NULL;
    return a;
}

/* The heap of all of a list of siblings: pairs from the left, then from the
 * right. The pairs are chained by NEXT in between. */
static struct pons_sleep *
heap_merge_siblings(struct pons_sleep *s)
{
    struct pons_sleep *pairs = NULL, *root = NULL;

    while (s != NULL) {
        struct pons_sleep *a = s, *b = link_of(s, NEXT), *pair;

        s = b != NULL ? link_of(b, NEXT) : NULL;
        a->links[NEXT] = a->links[BEFORE] = NULL;
        if (b != NULL)
            b->links[NEXT] = b->links[BEFORE] = NULL;
        pair = heap_merge(a, b);
        pair->links[NEXT] = pairs;
        pairs = pair;
    }
    while (pairs != NULL) {
        struct pons_sleep *next = link_of(pairs, NEXT);

        pairs->links[NEXT] = NULL;
        root = heap_merge(pairs, root);
        pairs = next;
    }
    return root;
}

/* Takes `s`, which is not the root, out of its list of siblings. */
static void
heap_cut(struct pons_sleep *s)
{
    struct pons_sleep *before = link_of(s, BEFORE), *next = link_of(s, NEXT);

    if (link_of(before, CHILD) == s)
        before->links[CHILD] = next;
    else
        before->links[NEXT] = next;
    if (next != NULL)
        next->links[BEFORE] = before;
}

static void
timers_set_root(struct poni_timers *t, struct pons_sleep *root)
{
    t->root = root;
    if (root != NULL)
        root->links[NEXT] = root->links[BEFORE] = NULL;
    /* Relaxed: who plans a sleep by it has the lock's word to pair with. */
    poni_store_relaxed(&t->earliest_ns,
                       root != NULL ? root->deadline_ns : PONS_NEVER);
}

static void
timers_unlink(struct poni_timers *t, struct pons_sleep *s)
{
    struct pons_sleep *under = heap_merge_siblings(link_of(s, CHILD));

    if (s == t->root) {
        timers_set_root(t, under);
        return;
    }
    heap_cut(s);
    if (under != NULL)
        timers_set_root(t, heap_merge(t->root, under));
}

void
poni_timers_init(struct poni_timers *t)
{
    *t = (struct poni_timers){.earliest_ns = PONS_NEVER};
}

void
poni_timers_insert(struct poni_timers *t, struct pons_sleep *s,
                   const struct pons_waker *w)
{
    pons_waker_set(&s->waker, w);
    s->links[CHILD] = s->links[NEXT] = s->links[BEFORE] = NULL;
    s->owner = t;
    poni_lock(&t->lock);
    s->base.state = SLEEP_LINKED;
    s->base.reserved = t->inserted++;
    timers_set_root(t, heap_merge(t->root, s));
    poni_unlock(&t->lock);
}

/* Under the lock. The waker is the caller's from here on: `s` may go. */
static struct pons_waker
sleep_end(struct pons_sleep *s, int64_t result)
{
    struct pons_waker w = s->waker;

    s->waker = (struct pons_waker){NULL, NULL};
    s->base.result = result;
    /* Pairs with the acquire in sleep_poll(): the result and the waker's move
     * are visible to who sees ENDED, and who may free the struct then. */
    poni_store_release(&s->base.state, SLEEP_ENDED);
    return w;
}

int
poni_timers_remove(struct pons_sleep *s, int64_t result)
{
    struct poni_timers *t = s->owner;
    struct pons_waker w = {NULL, NULL};
    int linked;

    poni_lock(&t->lock);
    linked = s->base.state == SLEEP_LINKED;
    if (linked) {
        timers_unlink(t, s);
        w = sleep_end(s, result);
    }
    poni_unlock(&t->lock);
    pons_waker_drop(&w);
    return linked;
}

void
poni_timers_fire(struct poni_timers *t, uint64_t now_ns)
{
    while (poni_load_relaxed(&t->earliest_ns) <= now_ns) {
        struct pons_waker w = {NULL, NULL};
        struct pons_sleep *s;

        poni_lock(&t->lock);
        s = t->root;
        if (s != NULL && s->deadline_ns <= now_ns) {
            timers_unlink(t, s);
            w = sleep_end(s, 0);
            poni_count(&t->fired);
        }
        poni_unlock(&t->lock);
        pons_waker_wake(&w);
    }
}

uint64_t
poni_timers_earliest(const struct poni_timers *t)
{
    return poni_load_relaxed(&t->earliest_ns);
}
