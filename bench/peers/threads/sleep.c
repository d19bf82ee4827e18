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

static void
lateness(struct bench_run *r)
{
    naps_run(r, 0);
}

static void
one_percent_blocks(struct bench_run *r)
{
    naps_run(r, 1);
}

static const struct bench_case timers_cases[] = {
    {.name = "lateness", .run = lateness},
    {0},
};

const struct bench_workload threads_timers = {
    .name = "timers",
    .subject = "threads",
    .measures = "how late a sleep ends",
    .how = "100 threads sleep for 1 to 10 ms",
    .silent = "what a timer costs that is cancelled",
    .cases = timers_cases,
};

static const struct bench_case stalls_cases[] = {
    {.name = "1% block", .run = one_percent_blocks},
    {0},
};

const struct bench_workload threads_stalls = {
    .name = "stalls",
    .subject = "threads",
    .measures = "how late others are when one in 100 blocks for 1 ms",
    .how = "100 threads sleep for 1 to 10 ms; the one that blocks is another",
    .silent = "a block that uses the processor",
    .cases = stalls_cases,
};

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
    for (unsigned i = 0; i < SLEEPING_THREADS; i++)
        (void)thread_start(sleeper, NULL); // they end with the process
    for (unsigned i = 0; i < SLEEPING_THREADS; i++)
        while (sem_wait(&asleep) < 0)
            ; // a signal
}

static void
sleepers_run(struct bench_run *r)
{
    peer_memory(r, sleepers_start, SLEEPING_THREADS);
}

static const struct bench_case sleepers_cases[] = {
    {.name = "fiber", .run = sleepers_run, .cold = 1},
    {0},
};

const struct bench_workload threads_sleepers = {
    .name = "sleepers",
    .subject = "threads",
    .measures = "resident bytes of an idle thread",
    .how = "10000 threads in pause()",
    .silent = "the kernel's stack of each, 16 KiB, and its other structs",
    .cases = sleepers_cases,
};
