/* SPDX-License-Identifier: MIT */
#ifndef BENCH_COUNTS_H
#define BENCH_COUNTS_H

/*
 * bench/counts.h - how much of each a workload does: the same for us, for the
 * floors, and for the peers in any language. Whoever must do fewer, because one
 * costs a hundred times as much there, divides what stands here and says so.
 *
 * One name and one plain number a line, so that others than C can read it. What
 * bench_ops() makes of a number with --quick, they make of it too: a twentieth.
 */

#include <stdint.h>

enum {
    /* spawn_join; yield, chained_spawn */
    TASKS = 1000,       // live at once, or deep
    JOIN_ROUNDS = 1000, // bench_ops(): of TASKS
    MILLION = 1000000,  // live at once; of timers, too
    CHAINS = 1000,      // bench_ops(): of TASKS
    YIELDS = 1000,      // of each of TASKS, with --quick too

    /* spawn_many */
    MANY = 10000,      // spawned at once
    MANY_ROUNDS = 100, // bench_ops(): of MANY, after one for nothing

    /* ping_pong, wake_cross */
    TURNS = 1000000,       // bench_ops(): there and back
    WAKES = 40000,         // bench_ops(): 1 to 1, each awaited
    WAKES_FLOOD = 2000000, // bench_ops(): of all senders together
    SENDERS = 4,

    /* block_on_ready, block_on_recv, block_on_spawn */
    CALLS_READY = 2000000, // bench_ops()
    CALLS_RECV = 20000,    // bench_ops()
    CALLS_SPAWN = 40000,   // bench_ops()
    CALLS_PAUSED = 500,
    CALLS_PAUSED_QUICK = 40, // the median needs no more
    PAUSE_NS = 1000000,      // before each of these

    /* blocking_roundtrip, blocking_throughput */
    JOBS = 20000,         // bench_ops(): one after the other
    AT_ONCE = 256,        // of each submitter
    AT_ONCE_ROUNDS = 240, // bench_ops(): of all submitters; each one's
                          // share, and one more
    SUBMITTERS_MAX = 16,

    /* timers, lateness and stalls among them */
    TIMERS = 5000000, // bench_ops(): one at a time
    FAR_MS = 3600000, // see timer_far_ms()
    NAPPERS = 100,
    NAPS = 50,             // of each; see nap_ms()
    NAPS_QUICK = 10,       // of each, with --quick: still enough for p99
    NAP_STALL_EVERY = 100, // stalls: after so many naps one blocks its thread
    NAP_STALL_NS = 1000000,

    /* sleepers: each in a timer of FAR_MS */
    SLEEPERS = 100000,       // stackless
    SLEEPING_STACKS = 10000, // fibers, goroutines, threads

    /* cancel_storm */
    STORM_SLEEPERS = 10000, // each in a timer of FAR_MS
    STORM_RECEIVERS = 1000, // each with a socket pair

    /* fanin */
    PIPES = 500,
    PIPES_ACTIVE = 5, // bytes that go round
    PASSES = 100000,  // bench_ops()
};

/* When the i-th of many timers is to end: out of order, in the next hour but
 * one. */
static inline uint64_t
timer_far_ms(uint64_t i)
{
    return FAR_MS + i * UINT64_C(2654435761) % FAR_MS;
}

static inline unsigned
nap_ms(unsigned napper, unsigned nap)
{
    return 1 + (napper + nap) % 10;
}

#endif /* BENCH_COUNTS_H */
