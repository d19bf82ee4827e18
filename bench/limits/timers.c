/* SPDX-License-Identifier: MIT */
/*
 * bench/limits/timers.c - the floor under timers: the bare structures, without
 * a lock, a waker, or anything that could fire.
 *
 *   binary heap   of deadlines and pointers in an array; each timer knows its
 *                 place, so that it can be taken out
 *   pairing heap  through the timers themselves
 *   wheel         lists by deadline, hashed to 65,536 places of a millisecond
 */

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "counts.h"

enum { MS = 1000000 };

struct timer {
    uint64_t deadline;
    struct timer *child, *next; // of the pairing heap; the wheel's next
    struct timer **link;        // what points to this one; pairing heap, wheel
    size_t place;               // in the binary heap
};

/* --- binary heap --- */

struct entry {
    uint64_t deadline;
    struct timer *timer;
};

static struct entry heap[MILLION];
static size_t heap_count;

static inline void
heap_put(size_t place, struct entry e)
{
    heap[place] = e;
    e.timer->place = place;
}

static inline void
heap_rise(size_t place, struct entry e)
{
    while (place > 0 && heap[(place - 1) / 2].deadline > e.deadline) {
        heap_put(place, heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    heap_put(place, e);
}

static inline void
heap_sink(size_t place, struct entry e)
{
    for (size_t child; (child = 2 * place + 1) < heap_count; place = child) {
        child += child + 1 < heap_count &&
                 heap[child + 1].deadline < heap[child].deadline;
        if (heap[child].deadline >= e.deadline)
            break;
        heap_put(place, heap[child]);
    }
    heap_put(place, e);
}

static inline void
heap_add(struct timer *t)
{
    heap_rise(heap_count++, (struct entry){t->deadline, t});
}

static inline void
heap_remove(struct timer *t)
{
    struct entry last = heap[--heap_count];

    if (t->place == heap_count)
        return;
    if (last.deadline < t->deadline)
        heap_rise(t->place, last);
    else
        heap_sink(t->place, last);
}

/* --- pairing heap --- */

static struct timer *pairing_root;

static inline struct timer *
pairing_merge(struct timer *a, struct timer *b)
{
    struct timer *low = a->deadline <= b->deadline ? a : b;
    struct timer *high = low == a ? b : a;

    high->next = low->child;
    if (high->next)
        high->next->link = &high->next;
    high->link = &low->child;
    low->child = high;
    return low;
}

static inline void
pairing_add(struct timer *t)
{
    t->child = t->next = NULL;
    pairing_root = pairing_root ? pairing_merge(pairing_root, t) : t;
    pairing_root->link = &pairing_root;
}

/* All of a list in one heap: by pairs, then the pairs from the last one on. */
static inline struct timer *
pairing_merge_list(struct timer *first)
{
    struct timer *pairs = NULL, *all = NULL;

    while (first) {
        struct timer *a = first, *b = a->next;

        first = b ? b->next : NULL;
        if (b)
            a = pairing_merge(a, b);
        a->next = pairs;
        pairs = a;
    }
    while (pairs) {
        struct timer *rest = pairs->next;

        all = all ? pairing_merge(all, pairs) : pairs;
        pairs = rest;
    }
    return all;
}

static inline void
pairing_remove(struct timer *t)
{
    struct timer *below = t->child ? pairing_merge_list(t->child) : NULL;

    if (t != pairing_root) {
        *t->link = t->next;
        if (t->next)
            t->next->link = t->link;
        if (!below)
            return;
        below = pairing_merge(pairing_root, below);
    }
    pairing_root = below;
    if (below) {
        below->next = NULL;
        below->link = &pairing_root;
    }
}

/* --- wheel --- */

enum { WHEEL = 65536 };

static struct timer *wheel[WHEEL];

static inline void
wheel_add(struct timer *t)
{
    struct timer **slot = &wheel[(t->deadline >> 20) % WHEEL];

    t->next = *slot;
    if (t->next)
        t->next->link = &t->next;
    t->link = slot;
    *slot = t;
}

static inline void
wheel_remove(struct timer *t)
{
    *t->link = t->next;
    if (t->next)
        t->next->link = t->link;
}

/* --- what is done with each --- */

typedef void timer_f(struct timer *t);

static inline __attribute__((always_inline)) void
one_at_a_time(struct bench_run *r, timer_f *add, timer_f *take)
{
    uint64_t ops = bench_ops(r, TIMERS), began = bench_now();
    struct timer t;

    bench_start(r);
    for (uint64_t i = 0; i < ops; i++) {
        t.deadline = began + timer_far_ms(i) * MS;
        add(&t);
        /* Whoever is called next may look at all of it. */
        __asm__ volatile("" ::: "memory");
        take(&t);
        __asm__ volatile("" ::: "memory");
    }
    bench_stop(r, ops);
}

static inline __attribute__((always_inline)) void
all_at_once(struct bench_run *r, timer_f *add, timer_f *take)
{
    struct timer *timers = calloc(MILLION, sizeof *timers);
    uint64_t began = bench_now();

    bench_must(timers != NULL, "memory");
    memset(timers, 1, MILLION * sizeof *timers); // the user's: resident
    bench_start(r);
    for (uint64_t i = 0; i < MILLION; i++) {
        timers[i].deadline = began + timer_far_ms(i) * MS;
        add(&timers[i]);
    }
    for (uint64_t i = 0; i < MILLION; i++)
        take(&timers[i]);
    bench_stop(r, MILLION);
    free(timers);
}

#define TIMERS_WORKLOAD(noun, title, text)                                   \
    static void noun##_one(struct bench_run *r)                              \
    {                                                                        \
        one_at_a_time(r, noun##_add, noun##_remove);                         \
    }                                                                        \
    static void noun##_all(struct bench_run *r)                              \
    {                                                                        \
        all_at_once(r, noun##_add, noun##_remove);                           \
    }                                                                        \
    static const struct bench_case noun##_cases[] = {                        \
        {.name = "create and cancel", .run = noun##_one},                    \
        {.name = "1M live", .run = noun##_all, .cold = 1},                   \
        {0},                                                                 \
    };                                                                       \
    static const struct bench_workload noun##_workload = {                   \
        .name = "timers",                                                    \
        .subject = title,                                                    \
        .measures =                                                          \
            "putting a timer where it can be found, and taking it out",      \
        .how = text ": timers of 1 to 2 hours, one at a time, or a million " \
                    "first and then all",                                    \
        .silent = "locks, wakers, firing; which of them are late",           \
        .cases = noun##_cases,                                               \
    }

TIMERS_WORKLOAD(heap, "binary heap", "a binary heap in an array");
TIMERS_WORKLOAD(pairing, "pairing heap",
                "a pairing heap through the timers themselves");
TIMERS_WORKLOAD(wheel, "wheel", "lists in a hashed wheel of 65,536 places");

int
main(int argc, char **argv)
{
    return bench_main(
        (const struct bench_workload *const[]){
            &heap_workload, &pairing_workload, &wheel_workload, NULL},
        argc, argv);
}
