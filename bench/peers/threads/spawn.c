/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/threads/spawn.c - a task is a thread.
 */

#include <sched.h>

#include "threads.h"

/* --- spawn_join --- */

static void *
nothing(void *arg)
{
    return arg;
}

static void
thousand_live(struct bench_run *r)
{
    uint64_t rounds = bench_ops(r, JOIN_ROUNDS / FEWER);
    pthread_t tasks[TASKS];

    bench_start(r);
    for (uint64_t i = 0; i < rounds; i++) {
        for (int t = 0; t < TASKS; t++)
            tasks[t] = thread_start(nothing, NULL);
        for (int t = 0; t < TASKS; t++)
            pthread_join(tasks[t], NULL);
    }
    bench_stop(r, rounds * TASKS);
}

static void
million_live(struct bench_run *r)
{
    bench_skip(r, "a process may not have a million stacks: each is a mapping");
}

static const struct bench_case spawn_join_cases[] = {
    {.name = "1000 live", .run = thousand_live},
    {.name = "1000000 live", .run = million_live, .cold = 1},
    {.name = NULL},
};

PEER_WORKLOAD(threads, spawn_join, 0,
              "a task that does nothing, from spawn to join",
              "1000 threads are created, then joined, over and over",
              "how many of them lived at once");

/* --- spawn_many --- */

static void *
many_run(void *gate)
{
    gate_arrive(gate);
    return NULL;
}

static void
outside_idle(struct bench_run *r)
{
    uint64_t rounds = bench_ops(r, MANY_ROUNDS / FEWER);
    struct gate g;

    gate_init(&g);
    bench_start(r);
    for (uint64_t i = 0; i < rounds; i++) {
        gate_shut(&g, MANY);
        for (int t = 0; t < MANY; t++)
            pthread_detach(thread_start(many_run, &g));
        gate_wait(&g);
    }
    bench_stop(r, rounds * MANY);
}

PEER_ONE_CASE(spawn_many, "outside idle", outside_idle);
PEER_WORKLOAD(threads, spawn_many, 0,
              "one of many tasks spawned at once, to the end of the last",
              "10,000 detached threads are created",
              "how soon the first of them runs");

/* --- chained_spawn --- */

struct chain {
    sem_t ended;
    uint64_t left; // of the thread that runs
};

static void *
chain_link(void *arg)
{
    struct chain *c = arg;

    if (--c->left > 0)
        pthread_detach(thread_start(chain_link, c));
    else
        sem_post(&c->ended);
    return NULL;
}

static void
chain_run(struct bench_run *r)
{
    uint64_t chains = bench_ops(r, CHAINS / FEWER);
    struct chain c;

    bench_must(sem_init(&c.ended, 0, 0) == 0, "a semaphore");
    bench_start(r);
    for (uint64_t i = 0; i < chains; i++) {
        c.left = TASKS;
        pthread_detach(thread_start(chain_link, &c));
        while (sem_wait(&c.ended) < 0)
            ; // a signal
    }
    bench_stop(r, chains * TASKS);
    sem_destroy(&c.ended);
}

PEER_CHAINED_SPAWN(threads,
                   "1000 detached threads, each created by the one before");

/* --- yield --- */

struct crowd {
    pthread_barrier_t all_here;
    uint64_t yields;
};

static void *
yielder(void *arg)
{
    struct crowd *c = arg;

    pthread_barrier_wait(&c->all_here);
    for (uint64_t i = 0; i < c->yields; i++)
        sched_yield();
    return NULL;
}

static void
yield_run(struct bench_run *r)
{
    struct crowd c = {.yields = YIELDS / 10};
    pthread_t tasks[TASKS];

    pthread_barrier_init(&c.all_here, NULL, TASKS + 1);
    for (int i = 0; i < TASKS; i++)
        tasks[i] = thread_start(yielder, &c);
    bench_start(r);
    pthread_barrier_wait(&c.all_here);
    for (int i = 0; i < TASKS; i++)
        pthread_join(tasks[i], NULL);
    bench_stop(r, TASKS * c.yields);
    pthread_barrier_destroy(&c.all_here);
}

PEER_YIELD(threads, "fibers", 0,
           "1000 threads call sched_yield() 100 times each",
           "which thread the kernel chose");
