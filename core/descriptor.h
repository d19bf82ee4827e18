/* SPDX-License-Identifier: MIT */
#ifndef PONI_DESCRIPTOR_H
#define PONI_DESCRIPTOR_H

/*
 * core/descriptor.h - whether the tables of a plugin can be relied upon.
 */

#include "note.h"

/* Whether a plugin that works with ABI `min` to `max` works here. -ENOTSUP with
 * the reason. */
int poni_abi_check(uint32_t min, uint32_t max, struct pons_reason *reason);

/*
 * Checks all that a plugin handed over: sizes, reserved fields, names, required
 * functions, options; and, for one from a file, that `note` says the same.
 * NULL: built in. -EINVAL or -ENOTSUP with the reason: the field, what was
 * wanted, what was found.
 */
int poni_descriptor_check(const struct pons_plugin *p,
                          const struct poni_note *note,
                          struct pons_reason *reason);

#endif /* PONI_DESCRIPTOR_H */
