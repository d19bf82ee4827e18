/* SPDX-License-Identifier: MIT */
#ifndef PRETENCE_H
#define PRETENCE_H

/*
 * tests/wrong/pretence.h - the reactor null, to be changed.
 *
 * For capabilities that no engine of ours has: what does no I/O can declare
 * them all. It stays "null", the name that may pretend; the plugin's is its
 * own.
 *
 *     PRETENCE("dice", pretence_ops.poll = dice_poll,
 *              pretence_caps = PONS_REACTOR_VIRTUAL_TIME)
 */

#include "pons/plugin.h"

#pragma push_macro("PONS_PLUGIN")
#undef PONS_PLUGIN
#define PONS_PLUGIN(...)
#include "backends/null.c"
#pragma pop_macro("PONS_PLUGIN")

static struct pons_reactor_ops pretence_ops;
static uint64_t pretence_caps;

static int
pretence_open(struct pons_reactor **out, const struct pons_config *config,
              const struct pons_host *host, struct pons_reason *reason)
{
    int err = null_open(out, config, host, reason);

    if (err == 0) {
        (*out)->ops = &pretence_ops;
        (*out)->caps = pretence_caps;
    }
    return err;
}

#define PRETENCE(plugin, ...)                                      \
    __attribute__((constructor)) static void pretence_change(void) \
    {                                                              \
        pretence_ops = null_ops;                                   \
        pretence_ops.open = pretence_open;                         \
        __VA_ARGS__;                                               \
    }                                                              \
    static const struct pons_engine pretence_engines[] = {         \
        {.kind = PONS_KIND_REACTOR,                                \
         .rank = 0,                                                \
         .name = "null",                                           \
         .summary = "pretends, for a test",                        \
         .options = null_options,                                  \
         .table = &pretence_ops},                                  \
        {0},                                                       \
    };                                                             \
    static const struct pons_plugin pretence_plugin = {            \
        .abi = PONS_ABI,                                           \
        .size = sizeof pretence_plugin,                            \
        .name = plugin,                                            \
        .version = PONS_VERSION,                                   \
        .licence = "MIT",                                          \
        .engines = pretence_engines,                               \
    };                                                             \
    PONS_PLUGIN(pretence_plugin, plugin, PONS_VERSION, "MIT", "reactor:null")

#endif /* PRETENCE_H */
