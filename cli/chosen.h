/* SPDX-License-Identifier: MIT */
#ifndef CLI_CHOSEN_H
#define CLI_CHOSEN_H

/*
 * cli/chosen.h - what a runtime was made of, for those who print it. All is the
 * runtime's, borrowed.
 */

#include "core/catalog.h"

struct pons_runtime;

const struct poni_choice *chosen_reactor(const struct pons_runtime *rt);
const struct poni_choice *chosen_pool(const struct pons_runtime *rt);
const struct poni_settings *chosen_settings(const struct pons_runtime *rt);

#endif /* CLI_CHOSEN_H */
