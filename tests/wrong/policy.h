/* SPDX-License-Identifier: MIT */
#ifndef WRONG_POLICY_H
#define WRONG_POLICY_H

/*
 * tests/wrong/policy.h - the policy `elastic`, to be spoilt: as wrong.h has it
 * of a poller.
 *
 *     WRONG_POLICY("overgrows", wrong_ops.on_tick = overgrows_on_tick)
 */

#include "pons/plugin.h"

#pragma push_macro("PONS_PLUGIN")
#undef PONS_PLUGIN
#define PONS_PLUGIN(...)
#include "plugins/elastic.c"
#pragma pop_macro("PONS_PLUGIN")

static struct pons_pool_ops wrong_ops;

#define WRONG_POLICY(engine, ...)                              \
    __attribute__((constructor)) static void wrong_spoil(void) \
    {                                                          \
        wrong_ops = elastic_ops;                               \
        wrong_ops.name = engine;                               \
        __VA_ARGS__;                                           \
    }                                                          \
    static const struct pons_engine wrong_engines[] = {        \
        {.kind = PONS_KIND_POOL,                               \
         .rank = 0,                                            \
         .name = engine,                                       \
         .summary = "wrong on purpose",                        \
         .options = elastic_options,                           \
         .table = &wrong_ops},                                 \
        {0},                                                   \
    };                                                         \
    static const struct pons_plugin wrong_plugin = {           \
        .abi = PONS_ABI,                                       \
        .size = sizeof wrong_plugin,                           \
        .name = engine,                                        \
        .version = PONS_VERSION,                               \
        .licence = "MIT",                                      \
        .engines = wrong_engines,                              \
    };                                                         \
    PONS_PLUGIN(wrong_plugin, engine, PONS_VERSION, "MIT", "pool:" engine)

#endif /* WRONG_POLICY_H */
