/* SPDX-License-Identifier: MIT */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

/*
 * bench/load.h - clients of an echo server: one thread, epoll, by hand. Every
 * byte that comes back is compared with what was sent; a server that answers
 * wrongly, or not within seconds, ends the program.
 *
 * In a closed loop a client sends its next message when it has the last one
 * back: a server that stalls is asked less, and its worst moments are counted
 * once. In an open loop messages are due at fixed times whatever the server
 * does, and their latency counts from when they were due, sent late or not:
 * that is free of "coordinated omission" (Gil Tene).
 */

#include <stddef.h>
#include <stdint.h>

#include "bench.h"

struct load;

/* Connects to 127.0.0.1. `bytes`: of a message. The caller owns it. */
struct load *load_new(int port, unsigned connections, size_t bytes);

/* `echoes` of them, in turn where that is less than one each. `latencies` may
 * be NULL. */
void load_closed(struct load *l, uint64_t echoes, struct histogram *latencies);
void load_open(struct load *l, uint64_t echoes, uint64_t interval_ns,
               struct histogram *latencies);

/* Closes them by a reset: no port is kept waiting. */
void load_free(struct load *l);

/* One connected socket, close-on-exec, without Nagle's delay. */
int load_connect(int port);

/* Allows this process, and the servers it starts, so many connections each. 0;
 * -1: the limit is too low, and the case was skipped. */
int load_allow(struct bench_run *r, unsigned connections);

#endif /* BENCH_LOAD_H */
