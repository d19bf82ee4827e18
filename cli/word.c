/* SPDX-License-Identifier: MIT */
/*
 * cli/word.c - see cli/word.h.
 */

#include "word.h"

#include <stdio.h>

struct word
word_plain(const char *text)
{
    struct word w;

    snprintf(w.text, sizeof w.text, "%s", text);
    for (char *c = w.text; *c != '\0'; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    return w;
}

json_t *
word_json(const char *text)
{
    return text && *text ? json_string(word_plain(text).text) : json_null();
}
