/* SPDX-License-Identifier: MIT */
#ifndef BENCH_H
#define BENCH_H

/*
 * bench/bench.h - the frame of every benchmark, floor and peer written in C or
 * C++. A program holds one or more workloads; a workload has cases; a case is
 * a function that runs its work once, between bench_start() and bench_stop().
 *
 *     static void
 *     run_one(struct bench_run *r)
 *     {
 *         uint64_t ops = bench_ops(r, 1000000);
 *
 *         bench_start(r);
 *         ...                         // ops times
 *         bench_stop(r, ops);
 *     }
 *
 * The program, by bench_main():
 *
 *     NAME [--workload W] [--case C] [--repeat N] [--quick] [--no-warm-up]
 *          [--subject NAME [--server PROGRAM] [--count calls|user]]
 *          [--rate N]
 *     NAME --describe
 *
 * Each case is run once for nothing (unless it is cold), then N times. Then
 * come lines of JSON, one per case and metric, one value per repetition:
 *
 *     {"workload":"yield","case":"fibers","subject":"pons","metric":"wall",
 *      "unit":"ns","values":[19.8]}
 *
 * bench_stop() gives the metrics of the whole process in that window: wall,
 * user and system (ns per op), switches (context switches per op), rss (bytes
 * resident at the end), ops (how many). A case may add its own.
 *
 * A case that cannot run here says so, and its line has "skipped":"reason"
 * in place of metric, unit and values.
 *
 * --describe prints one line per workload:
 *
 *     {"workload":"yield","subject":"pons","measures":"...","how":"...",
 *      "silent":"...","axes":["workers"],"cases":["fibers","stackless"],
 *      "heavy":[],"brief":["fibers","stackless"],"mains":{},"spread":false}
 *
 * "mains" has the metric that a case is about, where that is not the usual one.
 * Of "heavy", "brief", "mains" and "spread" our own line decides, for floors
 * and peers too.
 *
 * --subject chooses, where a program has a workload for several.
 *
 * A workload that drives a server measures PROGRAM in place of Pons's own, and
 * calls the figures NAME's: see bench/server.h.
 *
 * --count adds to what is known of a server: "server calls", its system calls
 * per op, or "server user" from samples enough for a hundredth of it. Its times
 * are then some per cent more. --rate is the messages a second of an open loop.
 *
 * Nothing in here knows Pons: see bench/runtime.h for that.
 */

#include <stdint.h>

#include "histogram.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What of the environment changes a workload's figures. */
enum bench_axis {
    BENCH_REACTOR = 1 << 0,
    BENCH_POOL = 1 << 1,
    BENCH_WORKERS = 1 << 2,
};

struct bench_run; /* one repetition of one case */

struct bench_case {
    const char *name;
    void (*run)(struct bench_run *);
    int cold;  /* not to be warmed up: the first time is what counts */
    int heavy; /* long even with --quick: left out there unless asked for */
    int brief; /* over in some 10 ms, on one thread: of a few such runs in a row
                  the fastest is the figure, for whatever else the machine does
                  in so short a time can only add to it */
    const char *main; /* the metric that it is about; NULL: the server's
                       * processor time, or else wall */
};

struct bench_workload {
    const char *name;
    const char *subject;  /* "pons", or the floor's or the peer's name */
    const char *measures; /* what a figure is the price of */
    const char *how;      /* what is done between start and stop */
    const char *silent;   /* what the figure does not tell */
    unsigned axes;        /* of enum bench_axis */
    const struct bench_case *cases; /* until one without a name */
    unsigned spread; /* its threads want a processor each: it is not pinned */
};

/* The program: returns its exit status. Workloads end with NULL. 0; 1 when a
 * case failed; 2 for words that are wrong. */
int bench_main(const struct bench_workload *const *workloads, int argc,
               char **argv);

/* `full`, or with --quick a twentieth of it, at least 1. */
uint64_t bench_ops(const struct bench_run *r, uint64_t full);

int bench_is_quick(const struct bench_run *r);

/* What --server names; NULL without it. */
const char *bench_server(const struct bench_run *r);

/* What --count names. */
enum bench_count { BENCH_COUNT_NOTHING, BENCH_COUNT_CALLS, BENCH_COUNT_USER };

enum bench_count bench_count(const struct bench_run *r);

/* The time between two messages of an open loop, as --rate wants it; without it
 * `usual`. */
uint64_t bench_interval_ns(const struct bench_run *r, uint64_t usual);

/* The window that is measured; once per run. Any thread; the same thread need
 * not stop it. A tracer sees both as prctl(BENCH_MARK, 1 or 0). */
enum { BENCH_MARK = 0x504f4e53 };

void bench_start(struct bench_run *r);
void bench_stop(struct bench_run *r, uint64_t ops);

/* One more figure of this repetition. The names are string literals. Instead
 * of bench_stop(), or beside it. */
void bench_value(struct bench_run *r, const char *metric, const char *unit,
                 double value);

/* p50, p90, p99, p99.9, max, of latencies recorded in ns. */
void bench_latencies(struct bench_run *r, const struct histogram *h);

/* This case cannot run here; copies the reason. Return from the case next. */
void bench_skip(struct bench_run *r, const char *reason);

/* Ends the program with 1 where a measurement has no meaning. */
void bench_must(int ok, const char *what);

/* CLOCK_MONOTONIC. */
uint64_t bench_now(void);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_H */
