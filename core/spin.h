/* SPDX-License-Identifier: MIT */
#ifndef PONI_SPIN_H
#define PONI_SPIN_H

/*
 * core/spin.h - how long it pays to look before one sleeps.
 *
 * A wake of a sleeping thread on another processor costs so much, and the waker
 * so much besides, that looking for about that long first loses at most a
 * factor (Karlin, Manasse, McGeoch, Owicki: "Competitive randomized algorithms
 * for non-uniform problems", 1990). What it costs differs fiftyfold between
 * bare metal and virtual machines, so it is measured once per process.
 *
 * The limit is two wakes. Of two that answer each other, and both sleep, each
 * would have to look for the one wake of the other, and a little more: with a
 * limit of one they miss each other by that little, time after time.
 */

#include <stdint.h>

/* Nanoseconds, of a wake and of two; 0 when this process may use one processor
 * only. Measure at the first call (under 3 ms). Any thread. */
uint64_t poni_wake_ns(void);
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

/* What one thread has learnt of looking: it looks for the limit again once that
 * has paid, or would have, and half as long whenever it has not. */
struct poni_spin {
    uint64_t ticks;  // how long to look before the next sleep
    int32_t rung_on; // the processor of who ended the last one; who did writes
    uint32_t beside; // how often that was our own
};

/* Whoever waits: looking has paid; has not; has not, and what it waited for
 * ended a sleep of so many ticks. */
void poni_spin_paid(struct poni_spin *s);
void poni_spin_missed(struct poni_spin *s);
void poni_spin_slept(struct poni_spin *s, uint64_t ticks);

/* Who ends the sleep, before it does. Any thread, any signal handler. */
void poni_spin_rung(struct poni_spin *s);

/* How many processors this process may use, at least 1. */
unsigned poni_processors(void);

#endif /* PONI_SPIN_H */
