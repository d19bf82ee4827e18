/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/asio/asio.cpp - the workloads on Boost.Asio: tasks are coroutines
 * of C++20 in an io_context, and calls that block go to an asio::thread_pool.
 *
 * An io_context that one thread runs is told so (concurrency hint 1), as
 * its documentation advises.
 */

#include "asio.hpp"

int
main(int argc, char **argv)
{
    static const struct bench_workload *const workloads[] = {
        &asio_sleepers, // first: a child of a process without threads
        &asio_spawn_join,
        &asio_spawn_many,
        &asio_chained_spawn,
        &asio_yield,
        &asio_ping_pong,
        &asio_wake_cross,
        &asio_blocking_roundtrip,
        &asio_blocking_throughput,
        &asio_timers,
        &asio_stalls,
        &asio_cancel_storm,
        &asio_fanin,
        NULL,
    };

    return peer_main(workloads, "asio", asio_serve,
                     "a coroutine per connection with a buffer of 32 KiB in "
                     "its frame; async_read_some(), async_write(); TCP_NODELAY",
                     "\"workers\"", argc, argv);
}
