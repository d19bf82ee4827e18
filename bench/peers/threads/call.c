/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/threads/call.c - a thread per call: created for it, and joined by
 * the one that waits for its end.
 */

#include "threads.h"

enum { FEWER = 50 }; // than jobs given to threads that are there

static void *
job(void *arg)
{
    return arg;
}

/* --- blocking_roundtrip --- */

static void
roundtrip_idle(struct bench_run *r)
{
    uint64_t jobs = bench_ops(r, JOBS);

    bench_start(r);
    for (uint64_t i = 0; i < jobs; i++)
        pthread_join(thread_start(job, NULL), NULL);
    bench_stop(r, jobs);
}

static const struct bench_case roundtrip_cases[] = {
    {.name = "idle", .run = roundtrip_idle},
    {0},
};

const struct bench_workload threads_blocking_roundtrip = {
    .name = "blocking_roundtrip",
    .subject = "threads",
    .measures = "giving a call that may block to another thread and hearing of "
                "its end",
    .how = "a thread is created and joined per call, one at a time",
    .silent = "that a thread could make the call itself",
    .cases = roundtrip_cases,
};

/* --- blocking_throughput --- */

static void *
submitter(void *arg)
{
    pthread_t calls[AT_ONCE];

    for (uint64_t rounds = *(uint64_t *)arg; rounds > 0; rounds--) {
        for (int i = 0; i < AT_ONCE; i++)
            calls[i] = thread_start(job, NULL);
        for (int i = 0; i < AT_ONCE; i++)
            pthread_join(calls[i], NULL);
    }
    return NULL;
}

static void
throughput_run(struct bench_run *r, unsigned submitters)
{
    uint64_t each = bench_ops(r, AT_ONCE_ROUNDS / FEWER) / submitters + 1;
    pthread_t all[SUBMITTERS_MAX];

    bench_start(r);
    for (unsigned i = 0; i < submitters; i++)
        all[i] = thread_start(submitter, &each);
    for (unsigned i = 0; i < submitters; i++)
        pthread_join(all[i], NULL);
    bench_stop(r, submitters * each * AT_ONCE);
}

static void
one_submitter(struct bench_run *r)
{
    throughput_run(r, 1);
}

static void
four_submitters(struct bench_run *r)
{
    throughput_run(r, 4);
}

static void
sixteen_submitters(struct bench_run *r)
{
    throughput_run(r, 16);
}

static const struct bench_case throughput_cases[] = {
    {.name = "1 submitter", .run = one_submitter},
    {.name = "4 submitters", .run = four_submitters},
    {.name = "16 submitters", .run = sixteen_submitters},
    {0},
};

const struct bench_workload threads_blocking_throughput = {
    .name = "blocking_throughput",
    .subject = "threads",
    .measures = "a blocking call where many are on their way",
    .how = "1, 4 or 16 threads create 256 threads at once, join them, and "
           "again",
    .silent = "what a single one takes; jobs that do block",
    .cases = throughput_cases,
};
