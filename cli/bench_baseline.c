/* SPDX-License-Identifier: MIT */
/*
 * cli/bench_baseline.c - see cli/bench_baseline.h.
 */

#include "bench_baseline.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench_environment.h"
#include "bench_stats.h"
#include "bench_units.h"
#include "say.h"

static const double BASELINE_SHARE = 0.10; // of the earlier median

struct bench_baseline {
    json_t *all;
    const json_t *figures; // in `all`
    char *path;
};

enum verdict { SAME, BETTER, WORSE, UNCOMPARED, VERDICTS };

/* One comparison: where it prints to, and what it has found. */
struct comparison {
    const struct bench_baseline *base;
    const struct bench_result *now;
    FILE *out;
    unsigned found[VERDICTS]; // figures
    unsigned fresh, missing;  // rows
    unsigned not_run;         // rows of workloads that were not asked for
};

static const char *const key_members[] = {"workload", "case", "subject",
                                          "reactor",  "pool", "workers"};

enum { KEY_MEMBERS = sizeof key_members / sizeof *key_members };

/* --- the file --- */

static const char *
text_of(const json_t *figure, const char *member)
{
    return json_string_value(json_object_get(figure, member));
}

static int
has_figures(const json_t *figure)
{
    return json_object_get(figure, "values") != NULL;
}

/* NULL: it is a figure. Else what is wrong with it. */
static const char *
figure_wrong(const json_t *figure)
{
    const json_t *values = json_object_get(figure, "values");

    for (int i = 0; i < KEY_MEMBERS; i++)
        if (!text_of(figure, key_members[i]))
            return key_members[i];
    if (!has_figures(figure) &&
        (text_of(figure, "skipped") || text_of(figure, "failed") ||
         text_of(figure, "unmeasured") || text_of(figure, "uncounted")))
        return NULL;
    if (!text_of(figure, "metric"))
        return "metric";
    if (!text_of(figure, "unit"))
        return "unit";
    if (json_array_size(values) == 0)
        return "values";
    for (size_t i = 0; i < json_array_size(values); i++)
        if (!json_is_number(json_array_get(values, i)))
            return "values";
    return NULL;
}

/* Nothing could be compared with a file that has no intervals: that is to be
 * known before anything runs. */
static int
baseline_has_intervals(const struct bench_baseline *b)
{
    for (size_t i = 0; i < json_array_size(b->figures); i++) {
        const json_t *figure = json_array_get(b->figures, i);

        if (json_array_size(json_object_get(figure, "values")) >= STATS_ENOUGH)
            return 1;
    }
    say_error("bench: %s: there is nothing to compare with: no figure of %d "
              "values or more, which an interval takes",
              b->path, STATS_ENOUGH);
    return 0;
}

static int
baseline_check(struct bench_baseline *b)
{
    b->figures = json_object_get(b->all, "figures");
    if (!json_is_array(b->figures)) {
        say_error("bench: %s: it has no \"figures\": no result of `pons bench "
                  "--json'",
                  b->path);
        return -EINVAL;
    }
    for (size_t i = 0; i < json_array_size(b->figures); i++) {
        const char *wrong = figure_wrong(json_array_get(b->figures, i));

        if (wrong) {
            say_error("bench: %s: figure %zu has no \"%s\", or a wrong one",
                      b->path, i + 1, wrong);
            return -EINVAL;
        }
    }
    return baseline_has_intervals(b) ? 0 : -EINVAL;
}

void
bench_baseline_close(struct bench_baseline *b)
{
    if (!b)
        return;
    json_decref(b->all);
    free(b->path);
    free(b);
}

static int
baseline_load(struct bench_baseline *b, const char *path)
{
    FILE *f = fopen(path, "re");
    json_error_t e;
    int err = -errno;

    if (!f) {
        say_error("bench: %s: %s", path, strerror(-err));
        return err;
    }
    b->all = json_loadf(f, 0, &e);
    fclose(f);
    if (b->all)
        return baseline_check(b);
    say_error("bench: %s: line %d: %s", path, e.line, e.text);
    return -EINVAL;
}

int
bench_baseline_open(struct bench_baseline **out, const char *path)
{
    struct bench_baseline *b = calloc(1, sizeof *b);
    int err = -ENOMEM;

    if (b && (b->path = strdup(path)))
        err = baseline_load(b, path);
    else
        say_error("bench: %s", strerror(ENOMEM));
    if (err < 0) {
        bench_baseline_close(b);
        return err;
    }
    *out = b;
    return 0;
}

/* --- one figure --- */

static const char *
key_text(const struct bench_key *k, int member)
{
    const char *const texts[KEY_MEMBERS] = {
        k->workload,           k->case_name,       k->subject,
        k->axis[AXIS_REACTOR], k->axis[AXIS_POOL], k->axis[AXIS_WORKERS]};

    return texts[member];
}

static int
is_of(const json_t *figure, const struct bench_key *k)
{
    for (int i = 0; i < KEY_MEMBERS; i++)
        if (strcmp(text_of(figure, key_members[i]), key_text(k, i)) != 0)
            return 0;
    return 1;
}

/* Its texts are the file's. */
static struct bench_key
key_of(const json_t *figure)
{
    struct bench_key k = {.workload = (char *)text_of(figure, "workload"),
                          .case_name = (char *)text_of(figure, "case"),
                          .subject = (char *)text_of(figure, "subject")};

    for (int i = 0; i < AXES; i++)
        k.axis[i] = (char *)text_of(figure, key_members[i + 3]);
    return k;
}

/* The first with figures of that row and metric (NULL: any); NULL: none. */
static const json_t *
baseline_find(const struct bench_baseline *b, const struct bench_key *k,
              const char *metric)
{
    for (size_t i = 0; i < json_array_size(b->figures); i++) {
        const json_t *figure = json_array_get(b->figures, i);

        if (has_figures(figure) && is_of(figure, k) &&
            (!metric || strcmp(text_of(figure, "metric"), metric) == 0))
            return figure;
    }
    return NULL;
}

static int
stats_of_json(struct bench_stats *s, const json_t *values)
{
    size_t count = json_array_size(values);
    double *numbers = calloc(count, sizeof *numbers);
    int err = -ENOMEM;

    for (size_t i = 0; numbers && i < count; i++)
        numbers[i] = json_number_value(json_array_get(values, i));
    if (numbers)
        err = bench_stats_of(s, numbers, count);
    free(numbers);
    return err;
}

/* What is no difference, whatever its share. */
static double
least_of(const char *unit)
{
    return strcmp(unit, "1") == 0 ? 0.01 : 1;
}

static int
more_is_better(const char *unit)
{
    size_t length = strlen(unit);

    return length > 2 && strcmp(unit + length - 2, "/s") == 0;
}

static int
is_compared(const char *metric)
{
    return strcmp(metric, "ops") != 0 && strcmp(metric, "max") != 0;
}

static enum verdict
verdict_of(const struct bench_stats *was, const struct bench_stats *is,
           const char *unit)
{
    double by = fabs(is->median - was->median);
    int greater = bench_stats_compare(was, is);

    if (!was->enough || !is->enough)
        return UNCOMPARED;
    if (greater == 0 || by <= BASELINE_SHARE * fabs(was->median) ||
        by <= least_of(unit))
        return SAME;
    return (greater > 0) == more_is_better(unit) ? BETTER : WORSE;
}

/* --- what is printed --- */

static void
print_row(const struct comparison *c, const char *word,
          const struct bench_key *k)
{
    char who[256];

    bench_key_write(k, who, sizeof who);
    fprintf(c->out, "  %-8s ", word);
    say_plain(c->out, k->workload);
    fputs(", ", c->out);
    say_plain(c->out, k->case_name);
    fputs(", ", c->out);
    say_plain(c->out, who);
}

static void
print_change(const struct comparison *c, enum verdict verdict,
             const struct bench_row *row, const struct bench_figure *f,
             const struct bench_stats *was, const struct bench_stats *is)
{
    char before[64], after[64];

    bench_units_write(before, sizeof before, was->median, f->unit);
    bench_units_write(after, sizeof after, is->median, f->unit);
    print_row(c, verdict == WORSE ? "worse" : "better", &row->key);
    fprintf(c->out, ": %s %s, was %s", f->metric, after, before);
    if (was->median > 0)
        fprintf(c->out, " (%+.0f %%)", (is->median / was->median - 1) * 100);
    fputc('\n', c->out);
}

static int
compare_figure(struct comparison *c, const struct bench_row *row,
               const struct bench_figure *f)
{
    const json_t *stored = baseline_find(c->base, &row->key, f->metric);
    struct bench_stats was, is;
    enum verdict verdict;

    if (!stored || !is_compared(f->metric) ||
        strcmp(text_of(stored, "unit"), f->unit) != 0)
        return 0;
    if (stats_of_json(&was, json_object_get(stored, "values")) < 0 ||
        bench_stats_of(&is, f->values, f->count) < 0)
        return -ENOMEM;
    verdict = verdict_of(&was, &is, f->unit);
    c->found[verdict]++;
    if (verdict == WORSE || verdict == BETTER)
        print_change(c, verdict, row, f, &was, &is);
    return 0;
}

/* --- rows --- */

static int
compare_row(struct comparison *c, const struct bench_row *row)
{
    int stored = baseline_find(c->base, &row->key, NULL) != NULL;
    int err = 0;

    if (stored && (row->state == ROW_FAILED || row->figure_count == 0)) {
        int failed = row->state == ROW_FAILED;

        c->found[WORSE] += (unsigned)failed;
        c->missing += (unsigned)!failed;
        print_row(c, failed ? "worse" : "missing", &row->key);
        fputs(failed ? ": failed: " : ": ", c->out);
        say_plain(c->out, row->reason ? row->reason : "no figures");
        fputc('\n', c->out);
        return 0;
    }
    if (!stored && row->figure_count > 0) {
        c->fresh++;
        print_row(c, "new", &row->key);
        fputc('\n', c->out);
    }
    for (size_t i = 0; err == 0 && i < row->figure_count; i++)
        err = compare_figure(c, row, &row->figures[i]);
    return err;
}

static const struct bench_row *
result_find(const struct bench_result *r, const json_t *figure)
{
    for (size_t i = 0; i < r->row_count; i++)
        if (is_of(figure, &r->rows[i].key))
            return &r->rows[i];
    return NULL;
}

static int
was_run(const struct bench_result *r, const char *workload)
{
    for (size_t i = 0; i < r->row_count; i++)
        if (strcmp(r->rows[i].key.workload, workload) == 0)
            return 1;
    return 0;
}

/* Stored rows that this result has not. */
static void
compare_stored(struct comparison *c, const json_t *figure)
{
    struct bench_key k = key_of(figure);

    if (result_find(c->now, figure))
        return;
    if (!was_run(c->now, k.workload)) {
        c->not_run++;
        return;
    }
    c->missing++;
    print_row(c, "missing", &k);
    fputc('\n', c->out);
}

/* Whether the figure is its row's first in the file that has values. */
static int
is_first_of_row(const struct bench_baseline *b, const json_t *figure)
{
    struct bench_key k = key_of(figure);

    return baseline_find(b, &k, NULL) == figure;
}

/* --- the whole --- */

/* Figures of another machine or kernel are other figures. */
static void
compare_environment(const struct comparison *c)
{
    const struct bench_environment *e = c->now->environment;
    const json_t *was = json_object_get(c->base->all, "environment");
    int quick = json_is_true(json_object_get(c->base->all, "quick"));

    for (size_t i = 0; e && i < e->count; i++) {
        const char *text = text_of(was, e->facts[i].name);

        if (!text || strcmp(text, e->facts[i].text) == 0)
            continue;
        fprintf(c->out, "  note     %s was \"", e->facts[i].name);
        say_plain(c->out, text);
        fputs("\"\n", c->out);
    }
    if (quick != !!c->now->quick)
        fprintf(c->out, "  note     it was %s --quick: other figures\n",
                quick ? "with" : "without");
}

static void
print_sum(const struct comparison *c)
{
    fprintf(c->out,
            "  %u figures compared: %u worse, %u better, %u within noise",
            c->found[WORSE] + c->found[BETTER] + c->found[SAME],
            c->found[WORSE], c->found[BETTER], c->found[SAME]);
    if (c->found[UNCOMPARED])
        fprintf(c->out, "; %u of too few values", c->found[UNCOMPARED]);
    if (c->fresh || c->missing)
        fprintf(c->out, "; %u rows are new, %u missing", c->fresh, c->missing);
    if (c->not_run)
        fprintf(c->out, "; %u rows of workloads that were not run", c->not_run);
    fputc('\n', c->out);
}

/* A comparison of nothing has not been passed. */
static int
check_compared(const struct comparison *c)
{
    if (c->found[WORSE] + c->found[BETTER] + c->found[SAME] > 0)
        return 0;
    if (c->found[UNCOMPARED])
        say_error("bench: %s: nothing was compared: all figures have fewer "
                  "than the %d values that an interval takes, here or there",
                  c->base->path, STATS_ENOUGH);
    else
        say_error("bench: %s: nothing was compared: it has no figure of what "
                  "was measured",
                  c->base->path);
    return -ENODATA;
}

int
bench_baseline_compare(const struct bench_baseline *b,
                       const struct bench_result *r, FILE *out)
{
    struct comparison c = {.base = b, .now = r, .out = out};
    int err = 0;

    fputs("beside ", out);
    say_plain(out, b->path);
    fputc('\n', out);
    compare_environment(&c);
    for (size_t i = 0; err == 0 && i < r->row_count; i++)
        err = compare_row(&c, &r->rows[i]);
    for (size_t i = 0; err == 0 && i < json_array_size(b->figures); i++)
        if (is_first_of_row(b, json_array_get(b->figures, i)))
            compare_stored(&c, json_array_get(b->figures, i));
    if (err < 0)
        return err;
    print_sum(&c);
    err = check_compared(&c);
    return err < 0 ? err : (int)c.found[WORSE];
}
