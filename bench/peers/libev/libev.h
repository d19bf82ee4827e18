/* SPDX-License-Identifier: MIT */
#ifndef PEER_LIBEV_H
#define PEER_LIBEV_H

/*
 * bench/peers/libev/libev.h - the parts of the peer.
 */

#include <ev.h>

#include "../peer.h"

extern const struct bench_workload libev_yield, libev_ping_pong,
    libev_wake_cross; /* loop.c */
extern const struct bench_workload libev_timers, libev_sleepers,
    libev_stalls; /* timers.c */
extern const struct bench_workload libev_cancel_storm, libev_fanin; /* many.c */

void libev_serve(void); /* echo.c */

static inline struct ev_loop *
loop_new(void)
{
    struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);

    bench_must(loop != NULL, "ev_loop_new");
    return loop;
}

#endif /* PEER_LIBEV_H */
