/* SPDX-License-Identifier: MIT */
#ifndef ADAPTED_H
#define ADAPTED_H

/*
 * tests/wrong/adapted.h - a right reactor, to be spoilt: the core's adapter
 * over the reference poller.
 *
 * As tests/wrong/wrong.h, for reactors. What is put in place of a function
 * finds the right one in `adapter_ops`:
 *
 *     REACTOR("hasty", adapted_ops.poll = hasty_poll)
 *
 * Rather than to wrap, it changes the table: a reactor is the adapter's own,
 * and what an engine has to remember is in adapted_state().
 */

#include "pons/plugin.h"

#pragma push_macro("PONS_PLUGIN")
#undef PONS_PLUGIN
#define PONS_PLUGIN(...)
#define self poll_self
#include "backends/poll.c"
#undef self
#pragma pop_macro("PONS_PLUGIN")

#include "core/adapter.c"

static struct pons_reactor_ops adapted_ops;
static const struct pons_host *adapted_host; // of the latest

/* A number of the reactor's that nobody else uses; 0 at first. */
__attribute__((unused)) static uintptr_t *
adapted_state(struct pons_reactor *r)
{
    return &r->reserved[0];
}

/* The same of an op; as it was left by whoever had the op before. */
__attribute__((unused)) static uint64_t *
adapted_mark(struct pons_op *op)
{
    return &op->backend[2];
}

/* poll(), without the events that `keep` says 0 of. */
typedef int adapted_keep_f(struct pons_reactor *r, struct pons_event *event);

__attribute__((unused)) static int
adapted_poll_but(struct pons_reactor *r, struct pons_event *events,
                 unsigned cap, uint64_t deadline_ns, adapted_keep_f *keep)
{
    int n, kept;

    do {
        n = adapter_poll(r, events, cap, deadline_ns);
        kept = 0;
        for (int i = 0; i < n; i++)
            if (keep(r, &events[i]))
                events[kept++] = events[i];
    } while (n > 0 && kept == 0 && deadline_ns != 0);
    return n > 0 ? kept : n;
}

static int
adapted_open(struct pons_reactor **out, const struct pons_config *config,
             const struct pons_host *host, struct pons_reason *reason)
{
    int err;

    adapted_host = host;
    err = poni_adapter_open(out, &poll_ops, config, host, reason);

    if (err == 0)
        (*out)->ops = &adapted_ops;
    return err;
}

#define REACTOR(engine, ...) REACTOR_WITH(engine, NULL, __VA_ARGS__)

#define REACTOR_WITH(engine, options_, ...)                      \
    __attribute__((constructor)) static void adapted_spoil(void) \
    {                                                            \
        adapted_ops = adapter_ops;                               \
        adapted_ops.name = engine;                               \
        adapted_ops.open = adapted_open;                         \
        __VA_ARGS__;                                             \
    }                                                            \
    static const struct pons_engine adapted_engines[] = {        \
        {.kind = PONS_KIND_REACTOR,                              \
         .rank = 0,                                              \
         .name = engine,                                         \
         .summary = "wrong on purpose",                          \
         .options = options_,                                    \
         .table = &adapted_ops},                                 \
        {0},                                                     \
    };                                                           \
    static const struct pons_plugin adapted_plugin = {           \
        .abi = PONS_ABI,                                         \
        .size = sizeof adapted_plugin,                           \
        .name = engine,                                          \
        .version = PONS_VERSION,                                 \
        .licence = "MIT",                                        \
        .engines = adapted_engines,                              \
    };                                                           \
    PONS_PLUGIN(adapted_plugin, engine, PONS_VERSION, "MIT", "reactor:" engine)

#endif /* ADAPTED_H */
