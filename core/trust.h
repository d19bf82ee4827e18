/* SPDX-License-Identifier: MIT */
#ifndef PONI_TRUST_H
#define PONI_TRUST_H

/*
 * core/trust.h - files that decide what runs: who may have written them.
 */

#include <sys/stat.h>

#include "pons/plugin.h"

/* -EPERM with the reason if others than root and its owner may write to it. */
int poni_trust_check(const struct stat *st, struct pons_reason *reason);

/*
 * Opens a regular file for reading, without ever waiting (a fifo) or waking a
 * device; a descriptor, or -errno with the reason. `st` is what it is, and has
 * not been checked for trust.
 */
int poni_trust_open(const char *path, struct stat *st,
                    struct pons_reason *reason);

#endif /* PONI_TRUST_H */
