/* SPDX-License-Identifier: MIT */
#ifndef PONI_FORK_H
#define PONI_FORK_H

/*
 * core/fork.h - telling a process from its forked child (P10).
 *
 * One word in a page that the kernel wipes in a child (MADV_WIPEONFORK, Linux
 * 4.14): no atfork handler, no system call per check. Every runtime remembers
 * the word it was made under.
 */

#include <stdint.h>

#include "atomic.h"

/* Never 0; differs from the parent's in a child. Any thread. */
uint64_t poni_epoch(void);

/* Set by the first poni_epoch(); what it points to is wiped in a child. */
extern uint64_t *poni_epoch_word;

/* Whether that is still the process in which poni_epoch() said `epoch`.
 * Relaxed: who knows an epoch has come after the word. */
static inline int
poni_epoch_is(uint64_t epoch)
{
    return poni_load_relaxed(poni_load_relaxed(&poni_epoch_word)) == epoch;
}

#endif /* PONI_FORK_H */
