/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/libuv/libuv.c - the workloads on libuv: one loop, on the thread
 * that runs it, and libuv's own pool of threads for calls that block.
 *
 * Nothing here spawns: libuv has callbacks, and no tasks to be joined.
 */

#include "libuv.h"

int
main(int argc, char **argv)
{
    static const struct bench_workload *const workloads[] = {
        &libuv_sleepers, // first: a child of a process without threads
        &libuv_yield,
        &libuv_ping_pong,
        &libuv_wake_cross,
        &libuv_blocking_roundtrip,
        &libuv_blocking_throughput,
        &libuv_timers,
        &libuv_stalls,
        &libuv_cancel_storm,
        &libuv_fanin,
        NULL,
    };

    return peer_main(workloads, "libuv", libuv_serve,
                     "one loop, one read buffer for all connections, "
                     "uv_try_write() first; TCP_NODELAY",
                     "", argc, argv);
}
