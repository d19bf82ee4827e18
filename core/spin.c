/* SPDX-License-Identifier: MIT */
/*
 * core/spin.c - see core/spin.h.
 *
 * Two threads hand a futex word back and forth, each asleep when its turn
 * comes. The median of a few rounds, halved, is one wake.
 */

#include "spin.h"

#include <pthread.h>
#include <sched.h>

#include "atomic.h"
#include "futex.h"
#include "pons/time.h"
#include "thread.h"

enum {
    ROUNDS = 9,            // odd: the median is one of them
    LIMIT_MIN_NS = 2000,   // less than this is not worth a sleep anyhow
    LIMIT_MAX_NS = 100000, // a machine that is busy must not teach us to spin
};

struct handoff {
    uint32_t word; // whose turn: even the measurer's, odd the partner's
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint64_t limit_ns;
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

static void *
handoff_partner(void *arg)
{
    for (uint32_t i = 0; i < ROUNDS; i++) {
        handoff_wait(arg, 2 * i + 1);
        handoff_give(arg, 2 * i + 2);
    }
    return NULL;
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
measure(void)
{
    uint64_t rounds[ROUNDS], began = pons_now(), ticks = poni_ticks(), one;
    struct handoff h = {0};
    pthread_t partner;

    if (poni_processors() < 2 ||
        poni_thread_start(&partner, handoff_partner, &h) != 0) {
        while (pons_now() - began < 100 * PONS_US)
            poni_pause();
    } else {
        for (uint32_t i = 0; i < ROUNDS; i++) {
            uint64_t at = pons_now();

            handoff_give(&h, 2 * i + 1);
            handoff_wait(&h, 2 * i + 2);
            rounds[i] = pons_now() - at;
        }
        pthread_join(partner, NULL);
        one = median(rounds) / 2;
        one = one < LIMIT_MIN_NS ? LIMIT_MIN_NS : one;
        limit_ns = one > LIMIT_MAX_NS ? LIMIT_MAX_NS : one;
    }
    ticks_per_us = (poni_ticks() - ticks) * 1000 / (pons_now() - began + 1) + 1;
}

uint64_t
poni_spin_limit_ns(void)
{
    pthread_once(&once, measure);
    return limit_ns;
}

uint64_t
poni_ticks_per_us(void)
{
    pthread_once(&once, measure);
    return ticks_per_us;
}

unsigned
poni_processors(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) < 0)
        return 1;
    return CPU_COUNT(&set) > 0 ? (unsigned)CPU_COUNT(&set) : 1;
}
