/* SPDX-License-Identifier: MIT */
#ifndef CLI_WORD_H
#define CLI_WORD_H

/*
 * cli/word.h - a text that a file or an engine wrote, as one that can do no
 * harm: neither to a terminal, nor by looking like a line of ours.
 */

#include <jansson.h>

enum { WORD_BYTES = 4096 }; // as long as a path; more is cut

struct word {
    char text[WORD_BYTES];
};

/* `text` with a ? for each byte that is not plain ASCII. */
struct word word_plain(const char *text);

/* The same for JSON; null for "" and NULL. */
json_t *word_json(const char *text);

#endif /* CLI_WORD_H */
