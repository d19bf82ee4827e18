/* SPDX-License-Identifier: MIT */
#ifndef PONI_SPIN_H
#define PONI_SPIN_H

/*
 * core/spin.h - how long it pays to look before one sleeps.
 *
 * A wake of a sleeping thread on another processor costs so much, and the waker
 * so much besides, that looking for about that long first loses at most a
 * factor of two (Karlin, Manasse, McGeoch, Owicki: "Competitive randomized
 * algorithms for non-uniform problems", 1990). What it costs differs fiftyfold
 * between bare metal and virtual machines, so it is measured once per process.
 */

#include <stdint.h>

/* Nanoseconds; 0 when this process may use one processor only. Measures at the
 * first call (under 3 ms). Any thread. */
uint64_t poni_spin_limit_ns(void);

/*
 * A cheap clock for spinning: ticks of the processor's counter. Only
 * differences on one thread mean something; poni_ticks_per_us() of them are a
 * microsecond.
 */
static inline uint64_t
poni_ticks(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t t;

    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(t));
    return t;
#else
    extern uint64_t pons_now(void);

    return pons_now();
#endif
}

uint64_t poni_ticks_per_us(void);

/* How many processors this process may use, at least 1. */
unsigned poni_processors(void);

#endif /* PONI_SPIN_H */
