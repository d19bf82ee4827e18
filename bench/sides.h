/* SPDX-License-Identifier: MIT */
#ifndef BENCH_SIDES_H
#define BENCH_SIDES_H

/*
 * bench/sides.h - which processors a server has, and which its load: neither is
 * to take time from the other. The first ones are the server's, as many as it
 * has workers, so that more of them can do more; the next one is the load's. A
 * server may also have all, its load's too, as it would without being pinned.
 * Where there are too few, the server does with less; with one for all, both
 * have that.
 */

#include <sched.h>

enum side { SERVER_SIDE, LOAD_SIDE, ALL_SIDES };

/* How many of `processors` are the server's. */
static inline int
sides_server(int processors, int workers)
{
    int most = processors > 1 ? processors - 1 : 1;

    if (workers < 1)
        return 1;
    return workers < most ? workers : most;
}

/* Those of `allowed` that are this side's. */
static inline cpu_set_t
sides_of(const cpu_set_t *allowed, enum side side, int workers)
{
    int processors = CPU_COUNT(allowed), nth = 0;
    int first = 0, count = sides_server(processors, workers);
    cpu_set_t own;

    if (side == ALL_SIDES)
        return *allowed;
    if (side == LOAD_SIDE && processors > 1) {
        first = count;
        count = 1;
    }
    CPU_ZERO(&own);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, allowed))
            continue;
        if (nth >= first && nth < first + count)
            CPU_SET(cpu, &own);
        nth++;
    }
    return own;
}

#endif /* BENCH_SIDES_H */
