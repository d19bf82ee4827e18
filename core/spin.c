/* SPDX-License-Identifier: MIT */
/*
 * core/spin.c - see core/spin.h.
 *
 * One thread wakes another, by a futex, that has slept for a while; the median
 * of a few such wakes counts. Each has a processor of its own: left alone they
 * may share one, where a wake costs a tenth.
 */

#include "spin.h"

#include <pthread.h>
#include <sched.h>

#include "atomic.h"
#include "futex.h"
#include "pons/time.h"
#include "thread.h"

enum {
    ROUNDS = 9,          // odd: the median is one of them
    WAKE_MIN_NS = 2000,  // less than this is not worth a sleep anyhow
    WAKE_MAX_NS = 50000, // a machine that is busy must not teach us to spin
    WAKES = 2,           // in the limit; core/spin.h says why
    LEAST = 32,          // the part of the limit that is looked for always
    ASLEEP_NS = 50000,   // by then whoever is about to sleep does
    BESIDE = 256,        // rings from our processor, of which one counts
};

struct handoff {
    uint32_t word; // even: the waker's turn, odd: the sleeper's
    uint64_t woke_ns, wake_ns;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint64_t wake_ns;
static uint64_t limit_ticks;
static uint64_t ticks_per_us;

static void
handoff_wait(struct handoff *h, uint32_t turn)
{
    while (poni_load_acquire(&h->word) < turn)
        poni_futex_wait(&h->word, turn - 1, PONS_NEVER);
}

static void
handoff_give(struct handoff *h, uint32_t turn)
{
    poni_store_release(&h->word, turn);
    poni_futex_wake(&h->word, 1);
}

/* To one of the processors that we may use. */
static void
handoff_pin(unsigned which)
{
    cpu_set_t may, one;

    CPU_ZERO(&one);
    if (sched_getaffinity(0, sizeof may, &may) < 0)
        return;
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &may) && which-- == 0)
            CPU_SET(cpu, &one);
    (void)sched_setaffinity(0, sizeof one, &one);
}

static uint64_t
median(uint64_t *v)
{
    for (int i = 1; i < ROUNDS; i++)
        for (int j = i; j > 0 && v[j] < v[j - 1]; j--) {
            uint64_t t = v[j];

            v[j] = v[j - 1];
            v[j - 1] = t;
        }
    return v[ROUNDS / 2];
}

static void
pause_until(uint64_t at_ns)
{
    while (pons_now() < at_ns)
        poni_pause();
}

static void
handoff_wake(struct handoff *h)
{
    uint64_t rounds[ROUNDS];

    for (uint32_t i = 0; i < ROUNDS; i++) {
        uint64_t began;

        pause_until(pons_now() + ASLEEP_NS);
        began = pons_now();
        handoff_give(h, 2 * i + 1);
        handoff_wait(h, 2 * i + 2);
        rounds[i] = h->woke_ns - began;
    }
    h->wake_ns = median(rounds);
}

static void *
handoff_waker(void *arg)
{
    handoff_pin(0);
    handoff_wake(arg);
    return NULL;
}

static void *
handoff_sleeper(void *arg)
{
    struct handoff *h = arg;

    handoff_pin(1);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        handoff_wait(h, 2 * i + 1);
        h->woke_ns = pons_now();
        handoff_give(h, 2 * i + 2);
    }
    return NULL;
}

/* 0, or a positive errno: a thread cannot be made. */
static int
measure_wake(void)
{
    struct handoff h = {0};
    pthread_t sleeper, waker;
    int err = poni_thread_start(&sleeper, handoff_sleeper, &h);

    if (err != 0)
        return err;
    if (poni_thread_start(&waker, handoff_waker, &h) == 0)
        pthread_join(waker, NULL);
    else
        handoff_wake(&h); // not pinned: this thread is not ours
    pthread_join(sleeper, NULL);
    wake_ns = h.wake_ns < WAKE_MIN_NS ? WAKE_MIN_NS : h.wake_ns;
    wake_ns = wake_ns > WAKE_MAX_NS ? WAKE_MAX_NS : wake_ns;
    return 0;
}

static void
measure(void)
{
    uint64_t began = pons_now(), ticks = poni_ticks();

    if (poni_processors() < 2 || measure_wake() != 0)
        while (pons_now() - began < 100 * PONS_US)
            poni_pause();
    ticks_per_us = (poni_ticks() - ticks) * 1000 / (pons_now() - began + 1) + 1;
    limit_ticks = WAKES * wake_ns * ticks_per_us / 1000;
}

uint64_t
poni_wake_ns(void)
{
    pthread_once(&once, measure);
    return wake_ns;
}

uint64_t
poni_spin_limit_ns(void)
{
    return WAKES * poni_wake_ns();
}

uint64_t
poni_ticks_per_us(void)
{
    pthread_once(&once, measure);
    return ticks_per_us;
}

/* --- what one thread has learnt; it has asked for the limit before --- */

void
poni_spin_paid(struct poni_spin *s)
{
    s->ticks = limit_ticks;
}

void
poni_spin_missed(struct poni_spin *s)
{
    if (s->ticks > limit_ticks / LEAST)
        s->ticks /= 2;
}

void
poni_spin_rung(struct poni_spin *s)
{
    poni_store_relaxed(&s->rung_on, sched_getcpu());
}

/* The last of its wakes is what looking would have saved. Where the ringer
 * needed this very processor, looking would have kept it from ringing. */
void
poni_spin_slept(struct poni_spin *s, uint64_t ticks)
{
    if (ticks > limit_ticks + limit_ticks / WAKES)
        return;
    if (poni_load_relaxed(&s->rung_on) != sched_getcpu() ||
        ++s->beside % BESIDE == 0)
        s->ticks = limit_ticks;
}

unsigned
poni_processors(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) < 0)
        return 1;
    return CPU_COUNT(&set) > 0 ? (unsigned)CPU_COUNT(&set) : 1;
}
