/* SPDX-License-Identifier: MIT */
/*
 * cli/bench_list.c - see cli/bench_list.h.
 */

#include "bench_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench_about.h"
#include "say.h"

static void
list_cases(const struct bench_offer *o, FILE *out)
{
    for (char **c = o->cases; *c; c++) {
        fputs(c == o->cases ? "  cases:         " : ", ", out);
        say_plain(out, *c);
    }
    fputs(*o->cases ? "\n" : "", out);
}

/* Its first offer's words, and how the others do the same. */
static void
list_workload(const struct bench_catalog *c, const char *name, FILE *out)
{
    struct bench_about first, other;
    size_t i = 0;

    while (strcmp(c->offers[i].workload, name) != 0)
        i++;
    first = bench_about_of(&c->offers[i]);
    say_plain(out, name);
    fputc('\n', out);
    list_cases(&c->offers[i], out);
    bench_about_print(&first, &first, out);
    for (i++; i < c->count; i++) {
        other = bench_about_of(&c->offers[i]);
        if (strcmp(other.workload, name) == 0)
            bench_about_print(&other, &first, out);
    }
}

static int
is_among(const char *const *names, const char *name)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

int
bench_list_print(const struct bench_catalog *c, char *const *workloads,
                 FILE *out)
{
    const char **names = bench_catalog_workloads(c);
    int err = 0;

    if (!names) {
        say_error("bench: %s", strerror(ENOMEM));
        return -ENOMEM;
    }
    for (char *const *w = workloads; err == 0 && *w; w++)
        if (!is_among(names, *w)) {
            say_unknown("bench", "workload", *w, "", names);
            err = -ENOENT;
        }
    for (unsigned i = 0; err == 0 && names[i]; i++)
        if (!*workloads || is_among((const char *const *)workloads, names[i]))
            list_workload(c, names[i], out);
    free(names);
    return err;
}
