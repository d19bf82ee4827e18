/* SPDX-License-Identifier: MIT */
#ifndef PONI_FAIL_H
#define PONI_FAIL_H

/*
 * core/fail.h - the sentence behind an error, and the log: for the core.
 */

#include <stdarg.h>

#include "pons/error.h"
#include "pons/plugin.h"

/* Stores the sentence for pons_last_error() and returns `err` (negative). */
PONS_PRINTF(2, 3) int poni_fail(int err, const char *format, ...);

/*
 * For a result that says it all, as -ECONNRESET of a receive: its sentence is
 * made when somebody asks for it. `what` (copied) is what ended so; `before` is
 * poni_fail_mark() from when it began: whoever has said more since is right.
 */
struct poni_fail_mark {
    const void *record;
    unsigned turn;
};

struct poni_fail_mark poni_fail_mark(void);
void poni_fail_plain(struct poni_fail_mark before, int64_t err,
                     const char *what);

/* One line to the hook or, if PONS_LOG asks for it, to stderr. Keeps errno. */
PONS_PRINTF(3, 4)
void poni_log(enum pons_log_level level, const char *part, const char *format,
              ...);

PONS_PRINTF(3, 0)
void poni_logv(enum pons_log_level level, const char *part, const char *format,
               va_list args);

/* Whether such a line would go anywhere: ask before costly ones. */
int poni_log_wanted(enum pons_log_level level, const char *part);

/*
 * Takes the value of PONS_LOG: a level, then part=level, separated by commas.
 * -EINVAL with the sentence; `origin` names the source in it.
 */
int poni_log_configure(const char *origin, const char *spec);

/*
 * Once it is known which plugins there are: -ENOENT with the sentence if a part
 * in `spec`, which was configured, is neither the library's nor is_engine(arg).
 */
int poni_log_check(const char *origin, const char *spec,
                   int (*is_engine)(void *arg, const char *name), void *arg);

/* For pons_host.refuse. */
PONS_PRINTF(3, 4)
int poni_refuse(struct pons_reason *reason, int err, const char *format, ...);

#endif /* PONI_FAIL_H */
