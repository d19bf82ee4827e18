/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/threads/spawn.c - a task is a thread.
 *
 * A thread costs hundreds of times what a task costs: fewer are made.
 */

#include <sched.h>

#include "threads.h"

enum { FEWER = 20 };

/* --- spawn_join --- */

static void *
nothing(void *arg)
{
    return arg;
}

static void
thousand_live(struct bench_run *r)
{
    uint64_t rounds = bench_ops(r, SPAWN_ROUNDS / FEWER);
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
    {0},
};

const struct bench_workload threads_spawn_join = {
    .name = "spawn_join",
    .subject = "threads",
    .measures = "a task that does nothing: spawned and joined",
    .how = "1000 threads are created, then joined, over and over",
    .silent = "how many of them lived at once",
    .cases = spawn_join_cases,
};

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

static const struct bench_case spawn_many_cases[] = {
    {.name = "outside idle", .run = outside_idle},
    {0},
};

const struct bench_workload threads_spawn_many = {
    .name = "spawn_many",
    .subject = "threads",
    .measures = "one of many tasks spawned at once, to the end of the last",
    .how = "10,000 detached threads are created",
    .silent = "how soon the first of them runs",
    .cases = spawn_many_cases,
};

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

static const struct bench_case chained_spawn_cases[] = {
    {.name = "chain", .run = chain_run},
    {0},
};

const struct bench_workload threads_chained_spawn = {
    .name = "chained_spawn",
    .subject = "threads",
    .measures = "a task that spawns the next, per task",
    .how = "1000 detached threads, each created by the one before",
    .silent = "many chains at once",
    .cases = chained_spawn_cases,
};

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
    struct crowd c = {.yields = bench_ops(r, YIELDS / FEWER * 2)};
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

static const struct bench_case yield_cases[] = {
    {.name = "fibers", .run = yield_run},
    {0},
};

const struct bench_workload threads_yield = {
    .name = "yield",
    .subject = "threads",
    .measures = "going from one ready task to the next",
    .how = "1000 threads call sched_yield() 100 times each",
    .silent = "which thread the kernel chose",
    .cases = yield_cases,
};
