/* SPDX-License-Identifier: MIT */
#ifndef WRONG_H
#define WRONG_H

/*
 * tests/wrong/wrong.h - the reference poller, to be spoilt.
 *
 * A file beside this one breaks one rule, and its first line says which: `pons
 * conform` must name that rule and no other (tests/wrong_test.py). It defines
 * functions in place of the reference's, and ends with
 *
 *     WRONG_POLLER("early", wrong_ops.wait = early_wait)
 *
 * Engines from which nothing of the reference is left are plugins of their own.
 */

#include "pons/plugin.h"

#pragma push_macro("PONS_PLUGIN")
#undef PONS_PLUGIN
#define PONS_PLUGIN(...)
#include "backends/poll.c"
#pragma pop_macro("PONS_PLUGIN")

static struct pons_poller_ops wrong_ops;

__attribute__((unused)) static int
wrong_open(struct pons_poller **out, const struct pons_config *config,
           const struct pons_host *host, struct pons_reason *reason)
{
    int err = poll_poller_open(out, config, host, reason);

    if (err == 0)
        (*out)->ops = &wrong_ops;
    return err;
}

#define WRONG_POLLER(engine, ...)                              \
    __attribute__((constructor)) static void wrong_spoil(void) \
    {                                                          \
        wrong_ops = poll_ops;                                  \
        wrong_ops.name = engine;                               \
        wrong_ops.open = wrong_open;                           \
        __VA_ARGS__;                                           \
    }                                                          \
    WRONG_PLUGIN(PONS_KIND_POLLER, "poller:", engine, &wrong_ops)

#define WRONG_PLUGIN(kind_, kind_word, engine, table_)  \
    static const struct pons_engine wrong_engines[] = { \
        {.kind = kind_,                                 \
         .rank = 0,                                     \
         .name = engine,                                \
         .summary = "wrong on purpose",                 \
         .table = table_},                              \
        {0},                                            \
    };                                                  \
    static const struct pons_plugin wrong_plugin = {    \
        .abi = PONS_ABI,                                \
        .size = sizeof wrong_plugin,                    \
        .name = engine,                                 \
        .version = PONS_VERSION,                        \
        .licence = "MIT",                               \
        .engines = wrong_engines,                       \
    };                                                  \
    PONS_PLUGIN(wrong_plugin, engine, PONS_VERSION, "MIT", kind_word engine)

#endif /* WRONG_H */
