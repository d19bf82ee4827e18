/* SPDX-License-Identifier: MIT */
#ifndef BENCH_GATE_H
#define BENCH_GATE_H

/*
 * bench/gate.h - one waits until the last of many has arrived.
 *
 * A spawned future that is used again arrives in its drop(), not in its last
 * poll: until then it is the runtime's.
 */

#include "cell.h"

struct gate {
    struct cell cell;
    uint32_t missing;
};

/* Opens when `count` have arrived. */
static inline void
gate_shut(struct gate *g, uint32_t count)
{
    *g = (struct gate){.missing = count};
    cell_wait_init(&g->cell);
}

static inline void
gate_arrive(struct gate *g)
{
    if (poni_sub(&g->missing, 1) == 1)
        cell_ring(&g->cell);
}

#endif /* BENCH_GATE_H */
