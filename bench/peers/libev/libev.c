/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/libev/libev.c - the workloads on libev: one loop, on the thread
 * that runs it.
 *
 * Nothing here spawns or gives work to threads: libev has watchers, no tasks
 * and no pool.
 */

#include "libev.h"

int
main(int argc, char **argv)
{
    static const struct bench_workload *const workloads[] = {
        &libev_yield,        &libev_ping_pong, &libev_wake_cross,
        &libev_timers,       &libev_sleepers,  &libev_stalls,
        &libev_cancel_storm, &libev_fanin,     NULL,
    };

    return peer_main(workloads, "libev", libev_serve,
                     "one loop, an ev_io per connection, recv() into one "
                     "buffer for all, send(); TCP_NODELAY",
                     "", argc, argv);
}
