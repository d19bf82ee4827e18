/* SPDX-License-Identifier: MIT */
/*
 * cli/progress.c - a line on the terminal that says how far it is.
 */

#include "progress.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "pons/time.h"

enum {
    COLUMNS_LEAST = 40, // narrower than this and the bar is left out
    COLUMNS_ELSE = 80,  // for terminals that do not know their width
    BAR_MOST = 50,
    FIGURES = 40, // columns that the figures beside the bar take
};

static unsigned
columns(FILE *out)
{
    struct winsize size;

    if (ioctl(fileno(out), TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return COLUMNS_ELSE;
    return size.ws_col;
}

void
progress_open(struct progress *p)
{
    p->out = isatty(STDERR_FILENO) ? stderr : NULL;
    p->started_ns = pons_now();
}

int
progress_wanted(const struct progress *p)
{
    return p->out != NULL;
}

static void
draw_bar(FILE *out, unsigned width, unsigned done, unsigned all)
{
    unsigned full = all ? (unsigned)((uint64_t)width * done / all) : width;

    fputc('[', out);
    for (unsigned i = 0; i < width; i++)
        fputc(i < full ? '#' : '.', out);
    fputs("] ", out);
}

void
progress_draw_words(const struct progress *p, unsigned done, unsigned all,
                    const char *words)
{
    unsigned width;

    if (!p->out)
        return;
    width = columns(p->out);
    fputc('\r', p->out);
    if (width >= COLUMNS_LEAST + FIGURES) {
        unsigned bar = width - FIGURES;

        draw_bar(p->out, bar < BAR_MOST ? bar : BAR_MOST, done, all);
    }
    fprintf(p->out, "%.*s\033[K", (int)width - 1, words);
    fflush(p->out);
}

void
progress_draw(const struct progress *p, unsigned done, unsigned all,
              uint64_t bytes)
{
    double seconds = (double)(pons_now() - p->started_ns) / 1e9;
    double megabytes = (double)bytes / 1e6;
    char words[96];

    snprintf(words, sizeof words, "%u/%u  %.1f MB  %.1f MB/s", done, all,
             megabytes, seconds > 0 ? megabytes / seconds : 0.0);
    progress_draw_words(p, done, all, words);
}

void
progress_clear(const struct progress *p)
{
    if (!p->out)
        return;
    fputs("\r\033[K", p->out);
    fflush(p->out);
}
