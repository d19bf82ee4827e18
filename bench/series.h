/* SPDX-License-Identifier: MIT */
#ifndef BENCH_SERIES_H
#define BENCH_SERIES_H

/*
 * bench/series.h - what every benchmark and floor shares: the clock, --repeat,
 * and the line of JSON that bench/run and `pons bench` read:
 *
 *     {"workload":"yield","subject":"stackless","metric":"wall","unit":"ns",
 *      "values":[11.2,11.4]}
 *
 * One value per repetition. A program measures its own subjects in turn within
 * each repetition, so that noise meets them alike.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BENCH_REPEAT = 11, BENCH_REPEAT_MAX = 1000 };

struct bench_series {
    const char *workload, *subject, *metric, *unit;
    double values[BENCH_REPEAT_MAX];
    unsigned count;
};

static inline double
bench_now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline void
bench_add(struct bench_series *s, double value)
{
    if (s->count < BENCH_REPEAT_MAX)
        s->values[s->count++] = value;
}

static inline void
bench_print(const struct bench_series *s)
{
    printf("{\"workload\":\"%s\",\"subject\":\"%s\",\"metric\":\"%s\","
           "\"unit\":\"%s\",\"values\":[",
           s->workload, s->subject, s->metric, s->unit);
    for (unsigned i = 0; i < s->count; i++)
        printf("%s%.4g", i ? "," : "", s->values[i]);
    printf("]}\n");
    fflush(stdout);
}

/* The N of --repeat N; anything else on the line is an error, exit 2. */
static inline unsigned
bench_repeat(int argc, char **argv)
{
    unsigned long n = BENCH_REPEAT;
    char *end;

    if (argc == 1)
        return BENCH_REPEAT;
    if (argc == 3 && strcmp(argv[1], "--repeat") == 0) {
        n = strtoul(argv[2], &end, 10);
        if (*end == 0 && n >= 1 && n <= BENCH_REPEAT_MAX)
            return (unsigned)n;
    }
    fprintf(stderr, "usage: %s [--repeat N], N from 1 to %d\n", argv[0],
            BENCH_REPEAT_MAX);
    exit(2);
}

/* Ends the program where a measurement has no meaning. */
static inline void
bench_must(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "bench: %s failed\n", what);
    exit(2);
}

#endif /* BENCH_SERIES_H */
