/* SPDX-License-Identifier: MIT */
/*
 * cli/bench_json.c - see cli/bench_json.h.
 */

#include "bench_json.h"

#include <errno.h>
#include <jansson.h>

#include "bench_environment.h"
#include "bench_stats.h"

enum { DIGITS = 9 }; // more than any measurement has

/* What is not UTF-8 as "?": a path or a program's last words. */
static json_t *
text_json(const char *text)
{
    json_t *value = json_string(text);

    return value ? value : json_string("?");
}

static json_t *
key_json(const struct bench_key *k)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "workload",
                     text_json(k->workload), "case", text_json(k->case_name),
                     "subject", text_json(k->subject), "reactor",
                     text_json(k->axis[AXIS_REACTOR]), "pool",
                     text_json(k->axis[AXIS_POOL]), "workers",
                     text_json(k->axis[AXIS_WORKERS]));
}

static json_t *
figure_json(const struct bench_row *row, const struct bench_figure *f)
{
    json_t *o = key_json(&row->key), *values = json_array();
    struct bench_stats s;

    if (bench_stats_of(&s, f->values, f->count) < 0)
        s = (struct bench_stats){0};
    for (size_t i = 0; i < f->count; i++)
        json_array_append_new(values, json_real(f->values[i]));
    json_object_set_new(o, "metric", text_json(f->metric));
    json_object_set_new(o, "unit", text_json(f->unit));
    json_object_set_new(o, "values", values);
    json_object_set_new(o, "median", json_real(s.median));
    json_object_set_new(o, "low", json_real(s.low));
    json_object_set_new(o, "high", json_real(s.high));
    if (row->trial.in_a_row > 1)
        json_object_set_new(o, "fastest of", json_integer(row->trial.in_a_row));
    json_object_set_new(o, "main", json_boolean(f == bench_row_main(row)));
    json_object_set_new(o, "settled", json_boolean(row->state == ROW_SETTLED));
    return o;
}

static void
add_reason(json_t *figures, const struct bench_row *row, const char *what,
           const char *reason)
{
    json_t *o = key_json(&row->key);

    json_object_set_new(o, what, text_json(reason));
    json_array_append_new(figures, o);
}

static void
add_row(json_t *figures, const struct bench_row *row)
{
    const char *reason = row->reason ? row->reason : "the time was up";

    for (size_t i = 0; i < row->figure_count; i++)
        json_array_append_new(figures, figure_json(row, &row->figures[i]));
    if (row->uncounted)
        add_reason(figures, row, "uncounted", row->uncounted);
    if (row->state == ROW_SKIPPED)
        add_reason(figures, row, "skipped", reason);
    else if (row->state == ROW_FAILED)
        add_reason(figures, row, "failed", reason);
    else if (row->figure_count == 0)
        add_reason(figures, row, "unmeasured", reason);
}

static json_t *
environment_json(const struct bench_environment *e)
{
    json_t *o = json_object();

    for (size_t i = 0; e && i < e->count; i++)
        json_object_set_new(o, e->facts[i].name, text_json(e->facts[i].text));
    return o;
}

static json_t *
abouts_json(const struct bench_result *r)
{
    json_t *array = json_array();

    for (size_t i = 0; i < r->about_count; i++) {
        const struct bench_about *a = &r->abouts[i];

        json_array_append_new(
            array,
            json_pack("{s:o, s:o, s:s, s:o, s:o, s:o}", "workload",
                      text_json(a->workload), "subject", text_json(a->subject),
                      "kind", bench_about_kind(a), "measures",
                      text_json(a->measures), "how", text_json(a->how),
                      "silent", text_json(a->silent)));
    }
    return array;
}

int
bench_json_write(const struct bench_result *r, FILE *out)
{
    json_t *figures = json_array();
    json_t *all;
    int err;

    for (size_t i = 0; i < r->row_count; i++)
        add_row(figures, &r->rows[i]);
    all = json_pack("{s:o, s:b, s:b, s:o, s:o}", "environment",
                    environment_json(r->environment), "quick", r->quick,
                    "interrupted", r->interrupted, "workloads", abouts_json(r),
                    "figures", figures);
    errno = 0;
    err =
        all ? json_dumpf(all, out, JSON_INDENT(1) | JSON_REAL_PRECISION(DIGITS))
            : -1;
    if (err == 0 && (fputc('\n', out) == EOF || fflush(out) != 0))
        err = -1;
    json_decref(all);
    if (err == 0)
        return 0;
    return errno ? -errno : -ENOMEM;
}
