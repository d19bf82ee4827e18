/* SPDX-License-Identifier: MIT */
/*
 * core/idle.c - a worker without work: it searches, looks on, and sleeps; and
 * how others wake it. core/seat.h has the picture of the sleep.
 *
 * A wake-up costs more than most work, on both sides, so there is one at a time
 * in the whole runtime: `searchers` counts those that look for work, and those
 * that were rung to; while it is not 0 nobody is called.
 */

#include "lock.h"
#include "runtime.h"
#include "seat.h"
#include "spin.h"

enum { LOOT = RUNQUEUE_SLOTS / 2 }; // tasks that one steal takes at most

/* --- waking who sleeps --- */

static void
seat_bell(struct poni_seat *s)
{
    poni_spin_rung(&s->spin);
    (void)s->reactor->ops->wake(s->reactor);
    /* Release pairs with the acquire in poni_seat_drain(): the reactor is not
     * touched after. */
    poni_add(&s->bells, 1);
}

void
poni_seat_ring(struct poni_seat *s)
{
    uint64_t *sleepers = &s->runtime->sleepers;

    /* Pairs with the fence in seat_announce(): Dekker. */
    poni_fence();
    if (!(poni_load_relaxed(sleepers) & s->bit))
        return;
    if (__atomic_fetch_and(sleepers, ~s->bit, __ATOMIC_SEQ_CST) & s->bit)
        seat_bell(s);
}

/* A sleeping seat other than none; the low ones first, so that the high ones
 * stay asleep and cold. */
static struct poni_seat *
runtime_sleeper(struct pons_runtime *rt)
{
    uint64_t sleepers = poni_load_seq(&rt->sleepers);

    return sleepers ? &rt->seats[__builtin_ctzll(sleepers)] : NULL;
}

/* There is work that a seat without work may take. */
static int
runtime_has_work(struct pons_runtime *rt)
{
    if (poni_load_relaxed(&rt->inject_count) > 0)
        return 1;
    for (unsigned i = 0; i < rt->seat_count; i++)
        if (runqueue_count(&rt->seats[i].ring) > 0)
            return 1;
    return 0;
}

/* Hands the caller's count in `searchers` to a sleeper. 0: nobody sleeps. */
static int
runtime_call_sleeper(struct pons_runtime *rt)
{
    struct poni_seat *s;

    while ((s = runtime_sleeper(rt)) != NULL) {
        poni_store_seq(&s->called_to_search, 1);
        if (__atomic_fetch_and(&rt->sleepers, ~s->bit, __ATOMIC_SEQ_CST) &
            s->bit) {
            seat_bell(s);
            return 1;
        }
        if (!poni_swap_seq(&s->called_to_search, 0))
            return 1; // it came by itself, and has taken the call
    }
    return 0;
}

/*
 * Only who moves `searchers` from 0 to 1 may call somebody, and hands that one
 * over: a wake-up costs more than most work, so there is one at a time. Who
 * left work meanwhile called nobody, and the sleeper that is found nowhere here
 * may have looked before that and sleep now: so one looks again.
 */
void
poni_notify_one(struct pons_runtime *rt)
{
    uint32_t none = 0;

    /* Pairs with the fences in seat_announce(): Dekker. */
    poni_fence();
    while (poni_load_relaxed(&rt->sleepers) != 0 &&
           poni_load_relaxed(&rt->searchers) == 0 &&
           poni_cas_seq(&rt->searchers, &none, 1)) {
        if (runtime_call_sleeper(rt))
            return;
        poni_sub_seq(&rt->searchers, 1);
        poni_fence(); // pairs with the one above, of who saw us search
        if (!runtime_has_work(rt))
            return;
    }
}

/* --- searching --- */

static void
seat_count_search(struct poni_seat *s)
{
    if (s->searching)
        return;
    s->searching = 1;
    if (poni_load_relaxed(&s->called_to_search) &&
        poni_swap_seq(&s->called_to_search, 0))
        return; // the caller has counted us
    poni_add_seq(&s->runtime->searchers, 1);
}

static int
seat_begin_search(struct poni_seat *s)
{
    struct pons_runtime *rt = s->runtime;

    if (!s->searching && !poni_load_relaxed(&s->called_to_search) &&
        poni_load_relaxed(&rt->searchers) * 2 >= rt->seat_count)
        return 0;
    seat_count_search(s);
    return 1;
}

/* More than the owners will come to next. */
static int
runtime_has_much_work(struct pons_runtime *rt)
{
    if (poni_load_relaxed(&rt->inject_count) > 0)
        return 1;
    for (unsigned i = 0; i < rt->seat_count; i++)
        if (runqueue_count(&rt->seats[i].ring) >= NEW_WORK)
            return 1;
    return 0;
}

/* It has found work. The last one to stop looking calls the next, if there is
 * more: who left that relied on the search, wherever it was left. */
void
poni_seat_end_search(struct poni_seat *s)
{
    struct pons_runtime *rt = s->runtime;
    uint32_t counted = s->searching;

    if (poni_load_relaxed(&s->called_to_search) &&
        poni_swap_seq(&s->called_to_search, 0))
        counted++;
    if (counted == 0)
        return;
    s->searching = 0;
    if (poni_sub_seq(&rt->searchers, counted) != counted)
        return;
    poni_fence(); // pairs with the one in poni_notify_one()
    if (runtime_has_much_work(rt))
        poni_notify_one(rt);
}

static int
seat_steal(struct poni_seat *s)
{
    struct pons_runtime *rt = s->runtime;
    struct pons_task *loot[LOOT];
    unsigned start;

    s->random = s->random * 1664525u + 1013904223u; // Knuth's constants
    start = s->random >> 16;
    for (unsigned i = 0; i < rt->seat_count; i++) {
        struct poni_seat *from = &rt->seats[(start + i) % rt->seat_count];
        unsigned n;

        if (from == s || (n = runqueue_steal(&from->ring, loot, LOOT)) == 0)
            continue;
        poni_store_relaxed(&s->steals, s->steals + n);
        for (unsigned j = 0; j < n; j++)
            poni_seat_push(s, loot[j]);
        return 1;
    }
    return 0;
}

/* Looks on for a bounded while. 1: there is something. */
static int
seat_spin(struct poni_seat *s, const uint32_t *word, uint32_t value)
{
    uint64_t began;

    if (poni_spin_limit_ns() == 0 || poni_seat_inflight(s) > 0)
        return 0; // one processor; or an engine must be asked, which sleeps
    began = poni_ticks();
    do {
        for (int i = 0; i < 16; i++) {
            if (poni_seat_posted(s) || runtime_has_work(s->runtime) ||
                poni_load_acquire(word) == value) {
                poni_spin_paid(&s->spin);
                return 1;
            }
            poni_pause();
        }
    } while (poni_ticks() - began < s->spin.ticks);
    poni_spin_missed(&s->spin);
    return 0;
}

/* --- sleeping --- */

static void
seat_announce(struct poni_seat *s)
{
    struct pons_runtime *rt = s->runtime;

    __atomic_fetch_or(&rt->sleepers, s->bit, __ATOMIC_SEQ_CST);
    if (s->searching) {
        s->searching = 0;
        poni_sub_seq(&rt->searchers, 1);
    }
    /* Pairs with the fences in poni_seat_ring() and poni_notify_one(): what the
     * caller now looks at is not read before the bit is set. */
    poni_fence();
}

/* 1: somebody had taken our bit, and has rung or is about to. */
static int
seat_unannounce(struct poni_seat *s)
{
    struct pons_runtime *rt = s->runtime;
    uint64_t was = __atomic_fetch_and(&rt->sleepers, ~s->bit, __ATOMIC_SEQ_CST);

    if (poni_load_relaxed(&s->called_to_search) &&
        poni_swap_seq(&s->called_to_search, 0))
        s->searching = 1;
    s->bells_owed += !(was & s->bit);
    return !(was & s->bit);
}

static void
seat_sleep(struct poni_seat *s, const uint32_t *word, uint32_t value,
           uint64_t deadline_ns)
{
    uint64_t timer = poni_timers_earliest(&s->timers), began;

    seat_announce(s);
    if (runtime_has_work(s->runtime)) {
        /* Who left it may have seen us search, and have called nobody: so we
         * do, and call the next if we find more than we take. */
        (void)seat_unannounce(s);
        seat_count_search(s);
        return;
    }
    if (poni_seat_posted(s) || poni_load_acquire(word) == value) {
        (void)seat_unannounce(s);
        return;
    }
    began = poni_ticks();
    poni_count(&s->parks);
    poni_seat_poll(s, timer < deadline_ns ? timer : deadline_ns);
    if (seat_unannounce(s))
        poni_spin_slept(&s->spin, poni_ticks() - began);
}

void
poni_seat_rest(struct poni_seat *s, const uint32_t *word, uint32_t value,
               uint64_t deadline_ns)
{
    if (seat_begin_search(s)) {
        if (seat_steal(s)) {
            poni_seat_end_search(s);
            return;
        }
        if (seat_spin(s, word, value))
            return;
    }
    seat_sleep(s, word, value, deadline_ns);
}
