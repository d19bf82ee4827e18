/* SPDX-License-Identifier: MIT */
/*
 * bench/limits/slab.c - the floor under spawning: a slot popped from a free
 * list and pushed back, 1000 of them live, with the slot written as a task
 * would be.
 *
 *   slab pop+push      that alone
 *   slab, queue, flag  and what no spawner that others may steal from can
 * spare: a queue whose head moves by compare-and-swap, and an atomic step to
 * "it has ended" that a joiner looks at
 *
 *     slab [--repeat N]
 */

#include "../series.h"

enum { LIVE = 1000, ROUNDS = 1000, SLOT_WORDS = 14 };

enum { QUEUE = 2048 }; // a power of two above LIVE

struct slot {
    struct slot *next;
    uint64_t words[SLOT_WORDS];
};

static struct slot *queue[QUEUE];
static uint64_t head, tail;

static struct slot *free_list;

static __attribute__((noinline)) struct slot *
pop(void)
{
    struct slot *s = free_list;

    free_list = s->next;
    for (int i = 0; i < SLOT_WORDS; i++)
        s->words[i] = (uint64_t)i;
    return s;
}

static __attribute__((noinline)) void
push(struct slot *s)
{
    s->next = free_list;
    free_list = s;
}

static double
measure_slab(struct slot **live)
{
    double began = bench_now_ns();

    for (int k = 0; k < ROUNDS; k++) {
        for (int i = 0; i < LIVE; i++)
            live[i] = pop();
        for (int i = 0; i < LIVE; i++)
            push(live[i]);
    }
    return (bench_now_ns() - began) / ((double)ROUNDS * LIVE);
}

static __attribute__((noinline)) void
queue_push(struct slot *s)
{
    queue[tail % QUEUE] = s;
    __atomic_store_n(&tail, tail + 1, __ATOMIC_RELEASE);
}

static __attribute__((noinline)) struct slot *
queue_pop(void)
{
    uint64_t at = __atomic_load_n(&head, __ATOMIC_ACQUIRE);
    struct slot *s;

    do
        s = queue[at % QUEUE];
    while (!__atomic_compare_exchange_n(&head, &at, at + 1, 1, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE));
    return s;
}

static double
measure_queue(struct slot **live)
{
    double began = bench_now_ns();

    for (int k = 0; k < ROUNDS; k++) {
        for (int i = 0; i < LIVE; i++)
            queue_push(live[i] = pop());
        for (int i = 0; i < LIVE; i++)
            __atomic_fetch_or(&queue_pop()->words[0], 1, __ATOMIC_ACQ_REL);
        for (int i = 0; i < LIVE; i++) {
            while (!(__atomic_load_n(&live[i]->words[0], __ATOMIC_ACQUIRE) & 1))
                continue;
            push(live[i]);
        }
    }
    return (bench_now_ns() - began) / ((double)ROUNDS * LIVE);
}

int
main(int argc, char **argv)
{
    static struct bench_series series = {
        "spawn_join", "slab pop+push", "wall", "ns", {0}, 0};
    static struct bench_series queued = {
        "spawn_join", "slab, queue, flag", "wall", "ns", {0}, 0};
    static struct slot slots[LIVE];
    static struct slot *live[LIVE];
    unsigned repeat = bench_repeat(argc, argv);

    for (int i = 0; i < LIVE; i++)
        push(&slots[i]);
    for (unsigned r = 0; r < repeat; r++) {
        bench_add(&series, measure_slab(live));
        bench_add(&queued, measure_queue(live));
    }
    bench_print(&series);
    bench_print(&queued);
    return 0;
}
