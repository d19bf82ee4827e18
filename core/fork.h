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

/* Never 0; differs from the parent's in a child. Any thread. */
uint64_t poni_epoch(void);

#endif /* PONI_FORK_H */
