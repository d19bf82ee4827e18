/* SPDX-License-Identifier: MIT */
#ifndef PEER_GLIB_H
#define PEER_GLIB_H

/*
 * bench/peers/glib/glib_peer.h - the parts of the peer.
 */

#include <gio/gio.h>

#include "../peer.h"

extern const struct bench_workload glib_spawn_join, glib_spawn_many,
    glib_chained_spawn, glib_yield;                                 /* idle.c */
extern const struct bench_workload glib_ping_pong, glib_wake_cross; /* wake.c */
extern const struct bench_workload glib_timers, glib_sleepers,
    glib_stalls; /* timers.c */
extern const struct bench_workload glib_blocking_roundtrip,
    glib_blocking_throughput;                                     /* task.c */
extern const struct bench_workload glib_cancel_storm, glib_fanin; /* many.c */

void glib_serve(void); /* echo.c */

/* Calls fn(arg) from the context's loop, for as long as that answers
 * G_SOURCE_CONTINUE. Any thread. */
static inline void
glib_idle(GMainContext *context, GSourceFunc fn, void *arg)
{
    GSource *s = g_idle_source_new();

    g_source_set_callback(s, fn, arg, NULL);
    g_source_attach(s, context);
    g_source_unref(s);
}

#endif /* PEER_GLIB_H */
