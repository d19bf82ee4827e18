/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/threads/sleep.c - a timer is a thread that sleeps.
 *
 * What it occupies is more than is seen here: the kernel's stack of 16 KiB and
 * what describes the thread are nobody's resident memory.
 */

#include "threads.h"

/* --- naps --- */

struct nappers {
    pthread_mutex_t lock; // guards naps
    struct naps naps;
    unsigned each;
};

struct napper {
    struct nappers *all;
    unsigned id;
};

static void *
napper_run(void *arg)
{
    struct napper *n = arg;

    for (unsigned left = n->all->each; left > 0; left--) {
        uint64_t deadline =
            bench_now() + nap_ms(n->id, left) * UINT64_C(1000000);
        struct timespec until = {(time_t)(deadline / 1000000000),
                                 (long)(deadline % 1000000000)};
        uint64_t now;
        int stalls;

        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        now = bench_now();
        pthread_mutex_lock(&n->all->lock);
        stalls = nap_ended(&n->all->naps, deadline, now);
        pthread_mutex_unlock(&n->all->lock);
        if (stalls)
            nap_stall();
    }
    return NULL;
}

static void
naps_run(struct bench_run *r, int stalls)
{
    struct nappers all = {.lock = PTHREAD_MUTEX_INITIALIZER,
                          .each = naps_each(r)};
    struct napper nappers[NAPPERS];
    pthread_t threads[NAPPERS];

    naps_begin(&all.naps, stalls);
    bench_start(r);
    for (unsigned i = 0; i < NAPPERS; i++) {
        nappers[i] = (struct napper){&all, i};
        threads[i] = thread_start(napper_run, &nappers[i]);
    }
    for (unsigned i = 0; i < NAPPERS; i++)
        pthread_join(threads[i], NULL);
    naps_finish(&all.naps, r);
}

PEER_CASE(lateness, naps_run, 0);
PEER_ONE_CASE(timers, "lateness", lateness);
PEER_WORKLOAD(threads, timers, 0, "how late a sleep ends",
              "100 threads sleep for 1 to 10 ms",
              "what a timer costs that is cancelled");
PEER_STALLS(threads,
            "100 threads sleep for 1 to 10 ms; the one that blocks is another",
            "a block that uses the processor");

/* --- sleepers --- */

static sem_t asleep;

static void *
sleeper(void *arg)
{
    sem_post(&asleep);
    pause();
    return arg;
}

static void
sleepers_start(void)
{
    bench_must(sem_init(&asleep, 0, 0) == 0, "a semaphore");
    for (unsigned i = 0; i < SLEEPING_STACKS; i++)
        (void)thread_start(sleeper, NULL); // they end with the process
    for (unsigned i = 0; i < SLEEPING_STACKS; i++)
        while (sem_wait(&asleep) < 0)
            ; // a signal
}

PEER_SLEEPERS(threads, "fiber", SLEEPING_STACKS, "10000 threads in pause()",
              "the kernel's stack of each, 16 KiB, and its other structs");
