/* SPDX-License-Identifier: MIT */
#ifndef PONI_TIMERS_H
#define PONI_TIMERS_H

/*
 * core/timers.h - the sleepers of one seat, earliest first.
 *
 * A pairing heap (Fredman, Sedgewick, Sleator, Tarjan: "The pairing heap",
 * 1986) through the pons_sleep structs themselves: insertion cannot fail and
 * costs one comparison, removing a sleeper that nobody was merged under is an
 * unlink.
 *
 * The lock is there because a task may be cancelled, or go on, on another seat
 * than the one that has its timer.
 *
 *   NEW -> LINKED -> ENDED         by poni_timers_fire() or _remove()
 *
 * Of one deadline, who came first fires first: base.reserved is the number that
 * a sleeper was inserted under. The heap alone keeps no order among equals.
 */

#include "pons/time.h"

enum sleep_state { SLEEP_NEW, SLEEP_LINKED, SLEEP_LISTED, SLEEP_ENDED };

struct poni_timers {
    uint32_t lock;
    struct pons_sleep *root;
    uint64_t inserted; // so far; numbers them, for ties
    uint64_t
        earliest_ns; // of the root, PONS_NEVER if there is none; any thread
    uint64_t fired;
};

void poni_timers_init(struct poni_timers *t);

/* NEW -> LINKED, with a clone of `w`. */
void poni_timers_insert(struct poni_timers *t, struct pons_sleep *s,
                        const struct pons_waker *w);

/* LINKED -> ENDED with `result`. 0: it had fired already. Any thread. */
int poni_timers_remove(struct pons_sleep *s, int64_t result);

/* Ends and wakes all that are due at `now_ns`. No lock is held over a wake. */
void poni_timers_fire(struct poni_timers *t, uint64_t now_ns);

/* Any thread. */
uint64_t poni_timers_earliest(const struct poni_timers *t);

#endif /* PONI_TIMERS_H */
