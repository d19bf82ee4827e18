/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

/*
 * cli/progress.h - a line on the terminal that says how far it is.
 */

#include <stdint.h>
#include <stdio.h>

struct progress {
    FILE *out; // borrowed; NULL: nothing is drawn
    uint64_t started_ns;
};

/* Draws on stderr if that is a terminal, else nowhere. */
void progress_open(struct progress *p);

/* Whether drawing would be seen. */
int progress_wanted(const struct progress *p);

void progress_draw(const struct progress *p, unsigned done, unsigned all,
                   uint64_t bytes);

/* The same bar, with other words beside it. */
void progress_draw_words(const struct progress *p, unsigned done, unsigned all,
                         const char *words);

/* Leaves the line empty. */
void progress_clear(const struct progress *p);

#endif /* CLI_PROGRESS_H */
