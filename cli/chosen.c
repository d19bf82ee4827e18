/* SPDX-License-Identifier: MIT */
/*
 * cli/chosen.c - what a runtime was made of. The one file of the command that
 * knows how a runtime looks inside.
 */

#include "chosen.h"

#include "core/runtime.h"

const struct poni_choice *
chosen_reactor(const struct pons_runtime *rt)
{
    return &rt->reactor;
}

const struct poni_choice *
chosen_pool(const struct pons_runtime *rt)
{
    return &rt->policy;
}

const struct poni_settings *
chosen_settings(const struct pons_runtime *rt)
{
    return &rt->settings;
}
