/* SPDX-License-Identifier: MIT */
#ifndef PEER_THREADS_H
#define PEER_THREADS_H

/*
 * bench/peers/threads/threads.h - the parts of the peer.
 */

#include "../peer.h"

extern const struct bench_workload threads_spawn_join, threads_spawn_many,
    threads_chained_spawn, threads_yield; /* spawn.c */
extern const struct bench_workload threads_ping_pong,
    threads_wake_cross; /* wake.c */
extern const struct bench_workload threads_blocking_roundtrip,
    threads_blocking_throughput; /* call.c */
extern const struct bench_workload threads_timers, threads_sleepers,
    threads_stalls; /* sleep.c */
extern const struct bench_workload threads_cancel_storm,
    threads_fanin; /* many.c */

void threads_serve(void); /* echo.c */

/* A thread, and a switch between two, cost hundreds of times what others' tasks
 * cost: of those that are not that few anyhow, so many times fewer are made. */
enum { FEWER = 50 };

/* A thread of its own for fn(arg); to be joined. */
static inline pthread_t
thread_start(void *(*fn)(void *), void *arg)
{
    pthread_t t;

    bench_must(pthread_create(&t, NULL, fn, arg) == 0, "pthread_create");
    return t;
}

#endif /* PEER_THREADS_H */
