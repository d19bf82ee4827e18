/* SPDX-License-Identifier: MIT */
#ifndef BENCH_WORKLOADS_H
#define BENCH_WORKLOADS_H

/*
 * bench/peers/workloads.h - the cases and texts that the peers' workloads in C
 * and C++ have in common. A peer's file has the functions, in its library's
 * way; PEER_NOUN(peer, ...) below them makes `peer_noun`, the workload. Before
 * each stands what it expects.
 */

#include "counts.h"

#define PEER_WORKLOAD(peer, noun, axes_, measures_, how_, silent_) \
    const struct bench_workload peer##_##noun = {                  \
        .name = #noun,                                             \
        .subject = #peer,                                          \
        .measures = measures_,                                     \
        .how = how_,                                               \
        .silent = silent_,                                         \
        .axes = axes_,                                             \
        .cases = noun##_cases,                                     \
    }

/* A case that calls fn(r, ...). The last line is for the semicolon. */
#define PEER_CASE(name, fn, ...)          \
    static void name(struct bench_run *r) \
    {                                     \
        fn(r, __VA_ARGS__);               \
    }                                     \
    struct bench_run

/* The cases of a workload that has only one. */
#define PEER_ONE_CASE(noun, name_, fn)                \
    static const struct bench_case noun##_cases[] = { \
        {.name = name_, .run = fn},                   \
        {.name = NULL},                               \
    }

/* --- tasks --- */

/* spawn_join_run(r, live, rounds) */
#define PEER_SPAWN_JOIN(peer, how)                                     \
    PEER_CASE(join_thousand, spawn_join_run, TASKS,                    \
              bench_ops(r, JOIN_ROUNDS));                              \
    PEER_CASE(join_million, spawn_join_run, MILLION, 1);               \
    static const struct bench_case spawn_join_cases[] = {              \
        {.name = "1000 live", .run = join_thousand},                   \
        {.name = "1000000 live", .run = join_million, .cold = 1},      \
        {.name = NULL},                                                \
    };                                                                 \
    PEER_WORKLOAD(peer, spawn_join, 0,                                 \
                  "a task that does nothing, from spawn to join", how, \
                  "what a task costs that waits")

/* inside(r), outside_idle(r), outside_busy(r) */
#define PEER_SPAWN_MANY(peer, axes, how)                                  \
    static const struct bench_case spawn_many_cases[] = {                 \
        {.name = "inside", .run = inside},                                \
        {.name = "outside idle", .run = outside_idle},                    \
        {.name = "outside busy", .run = outside_busy},                    \
        {.name = NULL},                                                   \
    };                                                                    \
    PEER_WORKLOAD(peer, spawn_many, axes,                                 \
                  "one of many tasks spawned at once, to the end of the " \
                  "last",                                                 \
                  how, "how soon the first of them runs")

/* chain_run(r) */
#define PEER_CHAINED_SPAWN(peer, how)                                \
    PEER_ONE_CASE(chained_spawn, "chain", chain_run);                \
    PEER_WORKLOAD(peer, chained_spawn, 0,                            \
                  "spawning a task that is the only one ready", how, \
                  "many tasks at once; joining")

/* yield_run(r) */
#define PEER_YIELD(peer, name, axes, how, silent)                             \
    PEER_ONE_CASE(yield, name, yield_run);                                    \
    PEER_WORKLOAD(peer, yield, axes, "going from one ready task to the next", \
                  how, silent)

/* --- wakes --- */

/* ping_pong_run(r) */
#define PEER_PING_PONG(peer, how, silent)                                   \
    PEER_ONE_CASE(ping_pong, "tasks", ping_pong_run);                       \
    PEER_WORKLOAD(                                                          \
        peer, ping_pong, 0,                                                 \
        "waking one that waits and being woken by it: there and back", how, \
        silent)

/* cross_run(r, senders, wakes of each); `flood` is of all senders together */
#define PEER_WAKE_CROSS(peer, flood, how, silent)                              \
    PEER_CASE(one_to_one, cross_run, 1, bench_ops(r, WAKES));                  \
    PEER_CASE(four_to_one, cross_run, SENDERS, bench_ops(r, flood) / SENDERS); \
    static const struct bench_case wake_cross_cases[] = {                      \
        {.name = "1 to 1", .run = one_to_one},                                 \
        {.name = "4 to 1", .run = four_to_one},                                \
        {.name = NULL},                                                        \
    };                                                                         \
    PEER_WORKLOAD(                                                             \
        peer, wake_cross, 0, "waking one that sleeps from other threads",      \
        how "; one thread awaits each arrival, four just send", silent)

/* --- calls that block --- */

/* roundtrip_run(r, busy) */
#define PEER_BLOCKING_ROUNDTRIP(peer, how)                              \
    PEER_CASE(roundtrip_idle, roundtrip_run, 0);                        \
    PEER_CASE(roundtrip_busy, roundtrip_run, 1);                        \
    static const struct bench_case blocking_roundtrip_cases[] = {       \
        {.name = "idle", .run = roundtrip_idle},                        \
        {.name = "busy", .run = roundtrip_busy},                        \
        {.name = NULL},                                                 \
    };                                                                  \
    PEER_WORKLOAD(peer, blocking_roundtrip, 0,                          \
                  "giving a call that may block to another thread and " \
                  "hearing of its end",                                 \
                  how, "many at once")

/* throughput_run(r, submitters) */
#define PEER_BLOCKING_THROUGHPUT(peer, how)                           \
    PEER_CASE(one_submitter, throughput_run, 1);                      \
    PEER_CASE(four_submitters, throughput_run, 4);                    \
    PEER_CASE(sixteen_submitters, throughput_run, SUBMITTERS_MAX);    \
    static const struct bench_case blocking_throughput_cases[] = {    \
        {.name = "1 submitter", .run = one_submitter},                \
        {.name = "4 submitters", .run = four_submitters},             \
        {.name = "16 submitters", .run = sixteen_submitters},         \
        {.name = NULL},                                               \
    };                                                                \
    PEER_WORKLOAD(peer, blocking_throughput, 0,                       \
                  "a blocking call where many are on their way", how, \
                  "what a single one takes; jobs that do block")

/* --- timers --- */

/* create_and_cancel(r), million_live(r), naps_run(r, stalls) */
#define PEER_TIMERS(peer, how, silent)                           \
    PEER_CASE(lateness, naps_run, 0);                            \
    static const struct bench_case timers_cases[] = {            \
        {.name = "create and cancel", .run = create_and_cancel}, \
        {.name = "1M live", .run = million_live, .cold = 1},     \
        {.name = "lateness", .run = lateness},                   \
        {.name = NULL},                                          \
    };                                                           \
    PEER_WORKLOAD(peer, timers, 0, "a timer, and how late it is", how, silent)

/* naps_run(r, stalls) */
#define PEER_STALLS(peer, how, silent)                                        \
    PEER_CASE(one_percent_blocks, naps_run, 1);                               \
    PEER_ONE_CASE(stalls, "1% block", one_percent_blocks);                    \
    PEER_WORKLOAD(peer, stalls, 0,                                            \
                  "how late others are when one in 100 blocks for 1 ms", how, \
                  silent)

/* sleepers_start(), which leaves `count` asleep */
#define PEER_SLEEPERS(peer, name_, count, how, silent)                  \
    PEER_CASE(sleepers_run, memory_measure, sleepers_start, count);     \
    static const struct bench_case sleepers_cases[] = {                 \
        {.name = name_, .run = sleepers_run, .cold = 1},                \
        {.name = NULL},                                                 \
    };                                                                  \
    PEER_WORKLOAD(peer, sleepers, 0,                                    \
                  "resident bytes of one that sleeps, all in all", how, \
                  silent)

/* --- many that wait --- */

/* storm_sleeping(r), storm_receiving(r) */
#define PEER_CANCEL_STORM(peer, how, silent)                              \
    static const struct bench_case cancel_storm_cases[] = {               \
        {.name = "sleeping", .run = storm_sleeping},                      \
        {.name = "receiving", .run = storm_receiving},                    \
        {.name = NULL},                                                   \
    };                                                                    \
    PEER_WORKLOAD(peer, cancel_storm, 0,                                  \
                  "giving up what one waits for, to the end of all", how, \
                  silent)

/* fanin_run(r) */
#define PEER_FANIN(peer, how, silent)                                         \
    PEER_ONE_CASE(fanin, "500 pipes, 5 active", fanin_run);                   \
    PEER_WORKLOAD(peer, fanin, 0,                                             \
                  "one event among many descriptors that are waited on", how, \
                  silent)

#endif /* BENCH_WORKLOADS_H */
