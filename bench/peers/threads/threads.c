/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/threads/threads.c - the workloads on threads and nothing else: a
 * thread per task, per connection, per call, with the system's own stacks,
 * mutexes and condition variables.
 */

#include "threads.h"

int
main(int argc, char **argv)
{
    static const struct bench_workload *const workloads[] = {
        &threads_sleepers, // first: a child of a process without threads
        &threads_spawn_join,
        &threads_spawn_many,
        &threads_chained_spawn,
        &threads_yield,
        &threads_ping_pong,
        &threads_wake_cross,
        &threads_blocking_roundtrip,
        &threads_blocking_throughput,
        &threads_timers,
        &threads_stalls,
        &threads_cancel_storm,
        &threads_fanin,
        NULL,
    };

    return peer_main(workloads, "threads", threads_serve,
                     "a thread per connection, its buffer of 64 KiB on its "
                     "stack; recv(), send(); TCP_NODELAY",
                     "", argc, argv);
}
