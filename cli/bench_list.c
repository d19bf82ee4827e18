/* SPDX-License-Identifier: MIT */
/*
 * cli/bench_list.c - see cli/bench_list.h.
 */

#include "bench_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench_table.h"
#include "say.h"

static void
list_offer(const struct bench_offer *o, FILE *out)
{
    const struct bench_about about = {.workload = o->workload,
                                      .measures = o->measures,
                                      .how = o->how,
                                      .silent = o->silent};

    for (char **c = o->cases; *c; c++) {
        fputs(c == o->cases ? "  cases:         " : ", ", out);
        say_plain(out, *c);
    }
    fputs(*o->cases ? "\n" : "", out);
    bench_about_print(&about, out);
}

/* "  floors:  a, b": who else offers it. */
static void
list_others(const struct bench_catalog *c, const char *workload,
            enum bench_kind kind, const char *title, FILE *out)
{
    int any = 0;

    for (size_t i = 0; i < c->count; i++) {
        const struct bench_offer *o = &c->offers[i];

        if (o->kind != kind || strcmp(o->workload, workload) != 0)
            continue;
        fputs(any ? ", " : title, out);
        say_plain(out, o->subject);
        any = 1;
    }
    fputs(any ? "\n" : "", out);
}

static void
list_workload(const struct bench_catalog *c, const char *name, FILE *out)
{
    size_t first = 0;

    while (strcmp(c->offers[first].workload, name) != 0)
        first++;
    say_plain(out, name);
    fputc('\n', out);
    list_offer(&c->offers[first], out);
    list_others(c, name, KIND_FLOOR, "  floors:        ", out);
    list_others(c, name, KIND_PEER, "  peers:         ", out);
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
