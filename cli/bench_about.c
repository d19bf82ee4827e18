/* SPDX-License-Identifier: MIT */
/*
 * cli/bench_about.c - see cli/bench_about.h.
 */

#include "bench_about.h"

#include <string.h>

#include "say.h"

enum {
    LINE = 79,
    MARGIN = 2,
    TITLE = 14, // longer ones push the first line
    WORD = 128, // longer ones are cut
};

struct bench_about
bench_about_of(const struct bench_offer *o)
{
    return (struct bench_about){.workload = o->workload,
                                .subject = o->subject,
                                .kind = o->kind,
                                .measures = o->measures,
                                .how = o->how,
                                .silent = o->silent};
}

const char *
bench_about_kind(const struct bench_about *about)
{
    static const char *const kinds[KINDS] = {"ours", "floor", "peer"};

    return kinds[about->kind];
}

/* The column after it. */
static int
print_title(const char *title, FILE *out)
{
    int column = (int)strlen(title);

    fprintf(out, "%*s", MARGIN, "");
    say_plain(out, title);
    for (; column < TITLE; column++)
        fputc(' ', out);
    return MARGIN + column;
}

/* Wrapped, beside its title. */
static void
print_sentence(const char *title, const char *text, FILE *out)
{
    int column;

    if (!*text)
        return;
    column = print_title(title, out);
    while (*text) {
        int length = (int)strcspn(text, " ");
        char word[WORD];

        if (column + 1 + length > LINE)
            column = fprintf(out, "\n%*s", MARGIN + TITLE, "") - 1;
        snprintf(word, sizeof word, " %.*s", length, text);
        say_plain(out, word);
        column += length + 1;
        text += length + (text[length] == ' ');
    }
    fputc('\n', out);
}

void
bench_about_print(const struct bench_about *about,
                  const struct bench_about *first, FILE *out)
{
    char title[WORD];

    if (about == first) {
        print_sentence("measures:", about->measures, out);
        print_sentence("how:", about->how, out);
    } else {
        snprintf(title, sizeof title, "%s %s:", bench_about_kind(about),
                 about->subject);
        print_sentence(title, about->how, out);
    }
    if (about == first || strcmp(about->silent, first->silent) != 0)
        print_sentence("does not tell:", about->silent, out);
}
