/* SPDX-License-Identifier: MIT */
#ifndef PEER_LIBUV_H
#define PEER_LIBUV_H

/*
 * bench/peers/libuv/libuv.h - the parts of the peer.
 */

#include <uv.h>

#include "../peer.h"

extern const struct bench_workload libuv_yield, libuv_ping_pong,
    libuv_wake_cross; /* loop.c */
extern const struct bench_workload libuv_timers, libuv_sleepers,
    libuv_stalls; /* timers.c */
extern const struct bench_workload libuv_blocking_roundtrip,
    libuv_blocking_throughput;                                      /* work.c */
extern const struct bench_workload libuv_cancel_storm, libuv_fanin; /* many.c */

void libuv_serve(void); /* echo.c */

static inline void
loop_open(uv_loop_t *loop)
{
    bench_must(uv_loop_init(loop) == 0, "uv_loop_init");
}

/* Its handles are closed, or closing. */
static inline void
loop_close(uv_loop_t *loop)
{
    uv_run(loop, UV_RUN_DEFAULT);
    bench_must(uv_loop_close(loop) == 0, "uv_loop_close");
}

#endif /* PEER_LIBUV_H */
