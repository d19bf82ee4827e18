/* SPDX-License-Identifier: MIT */
/*
 * bench/limits/slab.c - the floor under spawning: a slot popped from a free
 * list and pushed back, 1000 of them live, with the slot written as a task
 * would be.
 *
 *   slab pop+push      that alone
 *   slab, queue, flag  and what no spawner that others may steal from can
 *                      spare: a queue whose head moves by compare-and-swap, and
 *                      an atomic step to "it has ended" that a joiner looks at
 */

#include <stddef.h>

#include "bench.h"

enum { LIVE = 1000, ROUNDS = 5000, SLOT_WORDS = 14 };

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

static void
slots_refill(void)
{
    static struct slot slots[LIVE];

    free_list = NULL;
    for (int i = 0; i < LIVE; i++)
        push(&slots[i]);
}

static void
slab(struct bench_run *r)
{
    static struct slot *live[LIVE];
    uint64_t rounds = bench_ops(r, ROUNDS);

    slots_refill();
    bench_start(r);
    for (uint64_t k = 0; k < rounds; k++) {
        for (int i = 0; i < LIVE; i++)
            live[i] = pop();
        for (int i = 0; i < LIVE; i++)
            push(live[i]);
    }
    bench_stop(r, rounds * LIVE);
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

static void
queued(struct bench_run *r)
{
    static struct slot *live[LIVE];
    uint64_t rounds = bench_ops(r, ROUNDS);

    slots_refill();
    bench_start(r);
    for (uint64_t k = 0; k < rounds; k++) {
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
    bench_stop(r, rounds * LIVE);
}

static const struct bench_case slab_cases[] = {
    {.name = "1000 live", .run = slab},
    {0},
};
static const struct bench_case queued_cases[] = {
    {.name = "1000 live", .run = queued},
    {0},
};

static const struct bench_workload slab_workload = {
    .name = "spawn_join",
    .subject = "slab pop+push",
    .measures = "the memory of a task",
    .how = "1000 slots of 120 bytes are popped and written, then pushed back",
    .silent = "anything about running it",
    .cases = slab_cases,
};

static const struct bench_workload queued_workload = {
    .name = "spawn_join",
    .subject = "slab, queue, flag",
    .measures = "the memory of a task, its way through a queue that others may "
                "steal from, and the flag that a joiner looks at",
    .how = "1000 slots are popped, written and queued; dequeued by "
           "compare-and-swap and flagged; looked at and pushed back",
    .silent = "calling the task, and waking a joiner that waits",
    .cases = queued_cases,
};

int
main(int argc, char **argv)
{
    return bench_main((const struct bench_workload *const[]){&slab_workload,
                                                             &queued_workload,
                                                             NULL},
                      argc, argv);
}
