/* SPDX-License-Identifier: MIT */
/*
 * bench/limits/handoff.c - the least that handing over to a thread and back can
 * cost: the floor of block_on and of the blocking pool.
 *
 * Two threads, each on a core of its own, pass a word back and forth:
 *
 *   spin         who is not on turn looks
 *   futex        who is not on turn sleeps
 *   futex, 1 ms  the same after pauses of 1 ms: partner and core have gone to
 *                sleep; the median of the rounds
 *
 *     handoff [--repeat N]
 */

#include <pthread.h>
#include <sched.h>

#include "../series.h"
#include "core/atomic.h"
#include "core/futex.h"

enum {
    SPINS = 50000,
    SLEEPS = 2000,
    PAUSED = 100,
    PAUSE_NS = 1000000,
};

enum how { HOW_SPIN, HOW_FUTEX };

struct handoff {
    __attribute__((aligned(64))) uint32_t turn; // even: ours, odd: partner's
    __attribute__((aligned(64))) enum how how;
    uint32_t rounds;
};

static void
pin(int core)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(core, &set);
    (void)pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

static void
turn_wait(struct handoff *h, uint32_t turn)
{
    while (poni_load_acquire(&h->turn) != turn) {
        if (h->how == HOW_FUTEX)
            poni_futex_wait(&h->turn, turn - 1, UINT64_MAX);
        else
            poni_pause();
    }
}

static void
turn_give(struct handoff *h, uint32_t turn)
{
    poni_store_release(&h->turn, turn);
    if (h->how == HOW_FUTEX)
        poni_futex_wake(&h->turn, 1);
}

static void *
partner(void *arg)
{
    struct handoff *h = arg;

    pin(1);
    for (uint32_t i = 0; i < h->rounds; i++) {
        turn_wait(h, 2 * i + 1);
        turn_give(h, 2 * i + 2);
    }
    return NULL;
}

static int
by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* The median of all rounds, there and back. */
static double
measure(enum how how, uint32_t rounds, long pause_ns)
{
    static struct handoff h;
    double *each = calloc(rounds, sizeof *each), median;
    pthread_t thread;

    h = (struct handoff){.how = how, .rounds = rounds};
    bench_must(each != NULL && pthread_create(&thread, NULL, partner, &h) == 0,
               "thread");
    for (uint32_t i = 0; i < rounds; i++) {
        struct timespec pause = {0, pause_ns};
        double began;

        if (pause_ns > 0)
            nanosleep(&pause, NULL);
        began = bench_now_ns();
        turn_give(&h, 2 * i + 1);
        turn_wait(&h, 2 * i + 2);
        each[i] = bench_now_ns() - began;
    }
    pthread_join(thread, NULL);
    qsort(each, rounds, sizeof *each, by_size);
    median = each[rounds / 2];
    free(each);
    return median;
}

int
main(int argc, char **argv)
{
    static struct bench_series spin = {"handoff", "spin", "wall", "ns", {0}, 0};
    static struct bench_series futex = {"handoff", "futex", "wall",
                                        "ns",      {0},     0};
    static struct bench_series paused = {"handoff", "futex, 1 ms", "wall",
                                         "ns",      {0},           0};
    unsigned repeat = bench_repeat(argc, argv);

    pin(0);
    for (unsigned r = 0; r < repeat; r++) {
        bench_add(&spin, measure(HOW_SPIN, SPINS, 0));
        bench_add(&futex, measure(HOW_FUTEX, SLEEPS, 0));
        bench_add(&paused, measure(HOW_FUTEX, PAUSED, PAUSE_NS));
    }
    bench_print(&spin);
    bench_print(&futex);
    bench_print(&paused);
    return 0;
}
