/* SPDX-License-Identifier: MIT */
#ifndef PONS_ERROR_H
#define PONS_ERROR_H

/*
 * pons/error.h - the sentence behind an error, and the log.
 *
 *     err = pons_runtime_new(&rt, NULL);
 *     if (err < 0)
 *         fprintf(stderr, "%s\n", pons_last_error());
 *
 * Pons does not abort, exit or print (P6). What it has to say beside a result
 * goes to one hook; without a hook, to stderr if PONS_LOG asks for it.
 *
 * Threads     Any thread, any function here.
 *
 * Failure     Nothing here can fail.
 */

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pons_log_level {
    PONS_LOG_OFF,
    PONS_LOG_ERROR,
    PONS_LOG_WARN,
    PONS_LOG_INFO,
    PONS_LOG_DEBUG,
};

/*
 * The sentence of the last call that failed on this thread: what, where, what
 * was wanted and found, the way out. Never NULL; borrowed until the thread's
 * next Pons call or, in a fiber, its next wait; calls that succeed keep it. A
 * task's own answer, as pons_join() gives it, has none, and the result of a
 * future that was polled is its own.
 */
PONS_API const char *pons_last_error(void);

/* One line, without newline. `part` is what PONS_LOG names: plugin, task, ...
 */
typedef void pons_log_f(void *arg, enum pons_log_level level, const char *part,
                        const char *line);

/*
 * Sends every line of at most `level` to `log` instead of stderr. NULL takes
 * the hook away. The hook may be called from any thread, also from ours, and
 * must not call Pons. `arg` is borrowed until the hook is replaced.
 */
PONS_API void pons_log_hook(pons_log_f *log, void *arg,
                            enum pons_log_level level);

#ifdef __cplusplus
}
#endif
#endif /* PONS_ERROR_H */
