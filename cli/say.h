/* SPDX-License-Identifier: MIT */
#ifndef CLI_SAY_H
#define CLI_SAY_H

/*
 * cli/say.h - what the command says when something is wrong, and how it prints
 * text that others wrote.
 */

#include <stdio.h>

/* Exit statuses of every subcommand. */
enum {
    STATUS_OK = 0,
    STATUS_FAILED = 1,        // the work did not succeed
    STATUS_USAGE = 2,         // the words or the settings are wrong
    STATUS_WORSE = 3,         // bench: than the baseline
    STATUS_INTERRUPTED = 130, // as a shell reports SIGINT
};

/* "pons: ..." and a newline, to stderr. */
__attribute__((format(printf, 1, 2))) void say_error(const char *format, ...);

/* The same with pons_last_error(), or the errno's text when it says nothing.
 * For calls that failed on this thread. */
void say_pons_error(int err);

/*
 * There is no `what` called `word`: says so, what there is (`names`, each after
 * `mark`; NULL-terminated), and which of them is near.
 */
void say_unknown(const char *who, const char *what, const char *word,
                 const char *mark, const char *const *names);

/* Copies `text` to `out` so that a terminal shows it and obeys none of it. */
void say_plain(FILE *out, const char *text);

/* The word that a shell takes for `text`, with quotes where it needs them. */
void say_word(FILE *out, const char *text);

#endif /* CLI_SAY_H */
