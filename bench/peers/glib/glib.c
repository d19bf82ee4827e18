/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/glib/glib.c - the workloads on GLib: one main context, on the
 * thread that iterates it, and GTask's threads for calls that block.
 *
 * What comes nearest to a task is a source: an idle source for one that is
 * ready, a source of one's own for one that is woken. Sources of other threads
 * are attached as GLib's users attach them: the context is woken by that.
 */

#include "glib_peer.h"

int
main(int argc, char **argv)
{
    static const struct bench_workload *const workloads[] = {
        &glib_sleepers, // first: a child of a process without threads
        &glib_spawn_join,
        &glib_spawn_many,
        &glib_chained_spawn,
        &glib_yield,
        &glib_ping_pong,
        &glib_wake_cross,
        &glib_blocking_roundtrip,
        &glib_blocking_throughput,
        &glib_timers,
        &glib_stalls,
        &glib_cancel_storm,
        &glib_fanin,
        NULL,
    };

    return peer_main(workloads, "glib", glib_serve,
                     "one main context, a GSocket and its source per "
                     "connection, one read buffer for all; TCP_NODELAY",
                     "", argc, argv);
}
