/* SPDX-License-Identifier: MIT */
/*
 * cli/say.c - what the command says when something is wrong.
 *
 * URLs, file names and servers' words come from outside: whatever a terminal
 * would obey is replaced before it is printed.
 */

#include "say.h"

#include <stdarg.h>
#include <string.h>

#include "core/settings.h"
#include "pons/error.h"

void
say_error(const char *format, ...)
{
    va_list args;
    char line[1024];

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    fputs("pons: ", stderr);
    say_plain(stderr, line);
    fputc('\n', stderr);
}

void
say_pons_error(int err)
{
    const char *sentence = pons_last_error();

    say_error("%s", *sentence ? sentence : strerror(-err));
}

void
say_unknown(const char *who, const char *what, const char *word,
            const char *mark, const char *const *names)
{
    const char *near = poni_nearest(word + strspn(word, "-"), names);
    char list[512];
    size_t used = 0;

    list[0] = '\0';
    for (unsigned i = 0; names[i] && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s%s",
                                 i > 0 ? ", " : "", mark, names[i]);
    say_error("%s%sthere is no %s \"%s\"; there are: %s%s%s%s%s", who,
              *who ? ": " : "", what, word, list,
              near ? "; did you mean \"" : "", near ? mark : "",
              near ? near : "", near ? "\"?" : "");
}

void
say_plain(FILE *out, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        /* Bytes from 0x80 on may be UTF-8, and newlines are ours. */
        fputc((c < 0x20 && c != '\n') || c == 0x7f ? '?' : c, out);
    }
}

void
say_word(FILE *out, const char *text)
{
    const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789%+,-./:=@_";
    const char *quote =
        *text == '\0' || text[strspn(text, plain)] != '\0' ? "'" : "";

    fputs(quote, out);
    for (; *text; text++) {
        const char one[] = {*text, '\0'};

        if (*text == '\'')
            fputs("'\\''", out);
        else
            say_plain(out, one);
    }
    fputs(quote, out);
}
