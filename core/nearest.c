/* SPDX-License-Identifier: MIT */
/*
 * core/nearest.c - "did you mean": the name that a misspelt word is nearest to.
 *
 * The distance counts letters added, left out, exchanged for another, and pairs
 * swapped (optimal string alignment), without regard to case. A third of the
 * letters may differ; beyond that a guess helps nobody.
 */

#include "settings.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { WORD_MAX = 64 }; // letters; a longer word has no nearest

static unsigned
least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static int
same_letter(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* `n` and `m` are the lengths of `a` and `b`, both below WORD_MAX. */
static unsigned
distance(const char *a, unsigned n, const char *b, unsigned m)
{
    unsigned rows[3][WORD_MAX + 1];
    unsigned *before = rows[0], *last = rows[1], *row = rows[2], *spare;

    for (unsigned j = 0; j <= m; j++)
        last[j] = before[j] = j;
    for (unsigned i = 1; i <= n; i++) {
        row[0] = i;
        for (unsigned j = 1; j <= m; j++) {
            row[j] = least(least(last[j], row[j - 1]) + 1,
                           last[j - 1] + !same_letter(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
                same_letter(a[i - 2], b[j - 1]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[m];
}

const char *
poni_nearest(const char *word, const char *const *names)
{
    size_t n = strlen(word);
    unsigned best = WORD_MAX;
    const char *nearest = NULL;

    if (n == 0 || n >= WORD_MAX)
        return NULL;
    for (; *names != NULL; names++) {
        size_t m = strlen(*names);
        unsigned d;

        if (m >= WORD_MAX)
            continue;
        d = distance(word, (unsigned)n, *names, (unsigned)m);
        if (d < best && d <= ((n > m ? n : m) + 2) / 3) {
            best = d;
            nearest = *names;
        }
    }
    return nearest;
}
