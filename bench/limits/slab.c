/* SPDX-License-Identifier: MIT */
/*
 * bench/limits/slab.c - the floor under spawning: a slot popped from a free list
 * and pushed back, 1000 of them live, with the slot written as a task would be.
 *
 *     slab [--repeat N]
 */

#include "../bench.h"

enum { LIVE = 1000, ROUNDS = 1000, SLOT_WORDS = 14 };

struct slot {
    struct slot *next;
    uint64_t words[SLOT_WORDS];
};

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

int
main(int argc, char **argv)
{
    static struct bench_series series = {"spawn_join", "slab pop+push", "wall",
                                         "ns", {0}, 0};
    static struct slot slots[LIVE];
    static struct slot *live[LIVE];
    unsigned repeat = bench_repeat(argc, argv);

    for (int i = 0; i < LIVE; i++)
        push(&slots[i]);
    for (unsigned r = 0; r < repeat; r++) {
        double began = bench_now_ns();

        for (int k = 0; k < ROUNDS; k++) {
            for (int i = 0; i < LIVE; i++)
                live[i] = pop();
            for (int i = 0; i < LIVE; i++)
                push(live[i]);
        }
        bench_add(&series,
                  (bench_now_ns() - began) / ((double)ROUNDS * LIVE));
    }
    bench_print(&series);
    return 0;
}
