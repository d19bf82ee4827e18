/* SPDX-License-Identifier: MIT */
/*
 * cli/bench_result.c - rows and their figures: see cli/bench.h.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "bench_environment.h"

enum { REASON_BYTES = 512 }; // longer ones are cut

/* `*array` of `count` things with room for one more; it is zeroed. */
static void *
result_grow(void *array, size_t count, size_t size)
{
    char *grown = realloc(array, (count + 1) * size);

    if (grown)
        memset(grown + count * size, 0, size);
    return grown;
}

static void
key_fini(struct bench_key *k)
{
    free(k->workload);
    free(k->case_name);
    free(k->subject);
    for (int i = 0; i < AXES; i++)
        free(k->axis[i]);
}

static int
key_copy(struct bench_key *to, const struct bench_key *from)
{
    int whole;

    to->workload = strdup(from->workload);
    to->case_name = strdup(from->case_name);
    to->subject = strdup(from->subject);
    whole = to->workload && to->case_name && to->subject;
    for (int i = 0; i < AXES; i++) {
        to->axis[i] = strdup(from->axis[i]);
        whole = whole && to->axis[i];
    }
    if (whole)
        return 0;
    key_fini(to);
    return -ENOMEM;
}

static void
row_fini(struct bench_row *row)
{
    key_fini(&row->key);
    free(row->reason);
    free(row->uncounted);
    for (size_t i = 0; i < row->figure_count; i++) {
        free(row->figures[i].metric);
        free(row->figures[i].unit);
        free(row->figures[i].values);
    }
    free(row->figures);
}

void
bench_result_fini(struct bench_result *r)
{
    for (size_t i = 0; i < r->row_count; i++)
        row_fini(&r->rows[i]);
    free(r->rows);
    for (size_t i = 0; i < r->about_count; i++) {
        free(r->abouts[i].workload);
        free(r->abouts[i].subject);
        free(r->abouts[i].measures);
        free(r->abouts[i].how);
        free(r->abouts[i].silent);
    }
    free(r->abouts);
    bench_environment_free(r->environment);
    *r = (struct bench_result){0};
}

struct bench_row *
bench_row_add(struct bench_result *r, const struct bench_key *key)
{
    struct bench_row *grown = result_grow(r->rows, r->row_count, sizeof *grown);

    if (!grown)
        return NULL;
    r->rows = grown;
    if (key_copy(&grown[r->row_count].key, key) < 0)
        return NULL;
    return &grown[r->row_count++];
}

void
bench_row_end(struct bench_row *row, enum bench_state state, const char *format,
              ...)
{
    char text[REASON_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    free(row->reason);
    row->reason = strdup(text);
    row->state = state;
}

static struct bench_figure *
figure_add(struct bench_row *row, const char *metric, const char *unit)
{
    struct bench_figure *grown =
        result_grow(row->figures, row->figure_count, sizeof *grown);
    struct bench_figure *f;

    if (!grown)
        return NULL;
    row->figures = grown;
    f = &grown[row->figure_count];
    f->metric = strdup(metric);
    f->unit = strdup(unit);
    if (f->metric && f->unit) {
        row->figure_count++;
        return f;
    }
    free(f->metric);
    free(f->unit);
    return NULL;
}

const struct bench_figure *
bench_row_figure(const struct bench_row *row, const char *metric)
{
    for (size_t i = 0; i < row->figure_count; i++)
        if (strcmp(row->figures[i].metric, metric) == 0)
            return &row->figures[i];
    return NULL;
}

const struct bench_figure *
bench_row_main(const struct bench_row *row)
{
    const char *const mains[] = {row->main ? row->main : "", "server cpu",
                                 "wall"};

    for (size_t i = 0; i < sizeof mains / sizeof mains[0]; i++) {
        const struct bench_figure *f = bench_row_figure(row, mains[i]);

        if (f)
            return f;
    }
    return row->figure_count > 0 ? row->figures : NULL;
}

int
bench_row_value(struct bench_row *row, const char *metric, const char *unit,
                double value)
{
    struct bench_figure *f =
        (struct bench_figure *)bench_row_figure(row, metric);

    if (!f)
        f = figure_add(row, metric, unit);
    if (!f)
        return -ENOMEM;
    if (f->count == f->room) {
        size_t room = f->room ? 2 * f->room : 16;
        double *grown = realloc(f->values, room * sizeof *grown);

        if (!grown)
            return -ENOMEM;
        f->values = grown;
        f->room = room;
    }
    f->values[f->count++] = value;
    return 0;
}

void
bench_key_write(const struct bench_key *key, char *text, size_t size)
{
    const char *workers = key->axis[AXIS_WORKERS];
    int used = snprintf(text, size, "%s", key->subject);

    for (int i = 0; i < AXIS_WORKERS; i++)
        if (*key->axis[i] && used >= 0 && (size_t)used < size)
            used +=
                snprintf(text + used, size - (size_t)used, " %s", key->axis[i]);
    if (*workers && used >= 0 && (size_t)used < size)
        snprintf(text + used, size - (size_t)used, " %s worker%s", workers,
                 strcmp(workers, "1") == 0 ? "" : "s");
}

int
bench_about_add(struct bench_result *r, const struct bench_about *about)
{
    struct bench_about *grown, *a;

    for (size_t i = 0; i < r->about_count; i++)
        if (strcmp(r->abouts[i].workload, about->workload) == 0 &&
            strcmp(r->abouts[i].subject, about->subject) == 0)
            return 0;
    grown = result_grow(r->abouts, r->about_count, sizeof *grown);
    if (!grown)
        return -ENOMEM;
    r->abouts = grown;
    a = &grown[r->about_count++];
    a->kind = about->kind;
    a->workload = strdup(about->workload);
    a->subject = strdup(about->subject);
    a->measures = strdup(about->measures);
    a->how = strdup(about->how);
    a->silent = strdup(about->silent);
    return a->workload && a->subject && a->measures && a->how && a->silent
               ? 0
               : -ENOMEM;
}
