/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/threads/call.c - a thread per call: created for it, and joined by
 * the one that waits for its end.
 */

#include "threads.h"

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

PEER_ONE_CASE(blocking_roundtrip, "idle", roundtrip_idle);
PEER_WORKLOAD(threads, blocking_roundtrip, 0,
              "giving a call that may block to another thread and hearing of "
              "its end",
              "a thread is created and joined per call, one at a time",
              "that a thread could make the call itself");

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

PEER_BLOCKING_THROUGHPUT(threads,
                         "1, 4 or 16 threads create 256 threads at once, join "
                         "them, and again");
