/* SPDX-License-Identifier: MIT */
#ifndef CLI_CHOSEN_H
#define CLI_CHOSEN_H

/*
 * cli/chosen.h - what a runtime was made of. What is returned is the runtime's,
 * borrowed.
 */

#include "core/catalog.h"

struct pons_runtime;

/*
 * pons_runtime_new() for those who transfer bytes: -EINVAL with the sentence if
 * the settings choose a reactor that only pretends to.
 */
PONS_MUST_USE int chosen_runtime_new(struct pons_runtime **out);

const struct poni_choice *chosen_reactor(const struct pons_runtime *rt);
const struct poni_choice *chosen_pool(const struct pons_runtime *rt);

/* NULL: the reactor's own choice. */
const struct poni_choice *chosen_files(const struct pons_runtime *rt);
const struct poni_settings *chosen_settings(const struct pons_runtime *rt);

/* The i-th operation's name, and who does it; NULL: there is none. */
const char *chosen_operation(const struct pons_runtime *rt, unsigned i,
                             char *who, size_t size);

#endif /* CLI_CHOSEN_H */
