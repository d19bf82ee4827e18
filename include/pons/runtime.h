/* SPDX-License-Identifier: MIT */
#ifndef PONS_RUNTIME_H
#define PONS_RUNTIME_H

/*
 * pons/runtime.h - workers, a reactor, a pool: made, shared, explained, ended.
 *
 *     struct pons_runtime *rt;
 *     int err = pons_runtime_new(&rt, NULL);  // what PONS_* and defaults say
 *     ...
 *     pons_runtime_unref(rt);
 *
 * Ownership   A handle is one reference. The last unref shuts down without a
 *             time limit and frees. Task handles and wakers are given up
 *             before: one that is left keeps the runtime's memory, and is
 *             reported. Texts and tables that are passed are borrowed during
 *             the call.
 *
 * Threads     Any thread. The last unref, and shutdown, not from a task or job
 *             of that runtime (-EDEADLK; unref then leaves it to a thread).
 *
 * Failure     -EOWNERDEAD in a forked child for every inherited handle (P10);
 *             make a new runtime there.
 */

#include <stdio.h>

#include "base.h"
#include "task.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pons_settings_flags {
    PONS_NO_ENVIRONMENT = 1u << 0,      /* PONS_* variables are not read */
    PONS_NO_EXTERNAL_PLUGINS = 1u << 1, /* built-in plugins only */
};

/*
 * What a program passes; stronger than the environment. Each string has the
 * grammar of the variable PONS_<NAME>; NULL leaves the choice to the weaker
 * sources. Borrowed during the call.
 */
struct pons_settings {
    uint32_t size;  /* of this struct */
    uint32_t flags; /* enum pons_settings_flags */
    const char *reactor;
    const char *files;
    const char *pool;
    const char *workers;
    const char *stall;
    const char *plugin_path;
    const char *plugin_path_add;
    const char *plugins_disable;
    const char *log;
    const char *stats;
    const char *config; /* a file of settings, as PONS_CONFIG */
};

PONS_STATIC_ASSERT(offsetof(struct pons_settings, config) == 88,
                   "ABI: pons_settings");

#define PONS_SETTINGS_INIT                                                   \
    {                                                                        \
        sizeof(struct pons_settings), 0, NULL, NULL, NULL, NULL, NULL, NULL, \
            NULL, NULL, NULL, NULL, NULL                                     \
    }

/*
 * Makes a runtime. NULL `settings`: the environment and the defaults. -EINVAL
 * for a setting that is wrong, -ENOENT for a name that is not there, -ENOTSUP
 * for an engine that is not usable here; the sentence says which and why, and
 * `out` gets NULL.
 */
PONS_API PONS_MUST_USE int
pons_runtime_new(struct pons_runtime **out,
                 const struct pons_settings *settings);

/* One more reference to `rt`, which it returns. Cannot fail. */
PONS_API struct pons_runtime *pons_runtime_ref(struct pons_runtime *rt);

/* Consumes one reference. NULL is allowed and does nothing. */
PONS_API void pons_runtime_unref(struct pons_runtime *rt);

/* The runtime of this task, job or block_on, borrowed; NULL if there is none.
 */
PONS_API struct pons_runtime *pons_runtime_current(void);

/* The process's own, made at the first call. The caller gets a reference. The
 * errors are those of pons_runtime_new(). */
PONS_API PONS_MUST_USE int pons_runtime_default(struct pons_runtime **out);

/*
 * Cancels every task, waits until they and the jobs have ended, at most
 * `timeout_ns` (PONS_NEVER: no limit), and stops the workers. Returns how many
 * tasks and jobs were left running; pons_last_error() names them. Tasks that
 * were left at the limit go on, cancelled, and may be joined: the workers stay
 * until the last has ended (without workers, its maker's waits do their work,
 * as before); the runtime's memory and descriptors are leaked then. Spawns
 * meanwhile give tasks that are born cancelled, and so do those by tasks that
 * were left; other spawns are -ESHUTDOWN when it has ended. A second call waits
 * for the first. -EDEADLK and -EOWNERDEAD as above.
 */
PONS_API int64_t pons_runtime_shutdown(struct pons_runtime *rt,
                                       uint64_t timeout_ns);

/* Counters that are always on. Monotonic, but for those named "now". A task is
 * counted until a little after its joiner went on; PONS_STATS is one, too. */
struct pons_stats {
    uint32_t size; /* of this struct, set by the caller */
    uint32_t workers;
    uint64_t spawned;
    uint64_t tasks_now;
    uint64_t polls;
    uint64_t steals;
    uint64_t parks;
    uint64_t bells;      /* wakes of a sleeping worker */
    uint64_t ops;        /* given to a reactor */
    uint64_t ops_inline; /* that ended in submit, or in the try before it */
    uint64_t jobs;
    uint64_t jobs_refused;
    uint64_t pool_threads_now;
    uint64_t timers_fired;
};

PONS_STATIC_ASSERT(offsetof(struct pons_stats, timers_fired) == 96,
                   "ABI: pons_stats");

/* Fills as much of `stats` as its size says. 0, -EINVAL, -EOWNERDEAD. */
PONS_API PONS_MUST_USE int pons_runtime_stats(struct pons_runtime *rt,
                                              struct pons_stats *stats);

/* Writes what was chosen and why, what was rejected and why, and what engines
 * have reported since (P8). 0 or -EOWNERDEAD; whether it could be written,
 * ferror() says. */
PONS_API PONS_MUST_USE int pons_runtime_explain(struct pons_runtime *rt,
                                                FILE *out);

/* Writes every task: name, place of birth, state, what it waits for (P8). The
 * same answers. */
PONS_API PONS_MUST_USE int pons_dump(struct pons_runtime *rt, FILE *out);

/* What PONS_MAIN calls, on the main thread. Returns the exit status: fn's
 * answer; or 2, with a line on stderr, if fn could not be called. */
PONS_API int pons_main(int (*fn)(int argc, char **argv), int argc, char **argv);

/* Defines main(): runs fn as a fiber of this thread, which is worker 0. */
#define PONS_MAIN(fn)                     \
    int main(int argc, char **argv)       \
    {                                     \
        return pons_main(fn, argc, argv); \
    }

#ifdef __cplusplus
}
#endif
#endif /* PONS_RUNTIME_H */
