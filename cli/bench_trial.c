/* SPDX-License-Identifier: MIT */
/*
 * cli/bench_trial.c - see cli/bench_trial.h.
 *
 * A program's lines are read as strictly as they are written: one that is not
 * about this row's workload and case, or not JSON, fails the row. Figures that
 * came from something else than was asked for would look like all others.
 *
 * Where it makes several runs in a row, the figures are those of one of them:
 * the fastest.
 */

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "bench_choice.h"
#include "core/settings.h"

enum { TRIAL_WORDS = 16 }; // of a program's command line

/* What one process's lines said. */
struct trial_found {
    struct bench_row *row;
    enum bench_keep keep;
    unsigned runs;   // how many values each figure has
    json_t *figures; // owned; an array of the lines that have values
    double ops;      // -1: no line said it; so the others
    double syscalls, others;
};

/* What is not kept, or traced, is run once. */
static unsigned
trial_runs(const struct bench_row *row, enum bench_keep keep)
{
    return keep == KEEP_FIGURES ? row->trial.in_a_row : 1;
}

static void
trial_words(const struct bench_row *row, enum bench_keep keep, char repeat[16],
            const char *words[TRIAL_WORDS])
{
    const struct bench_trial *t = &row->trial;
    unsigned n = 0;

    snprintf(repeat, 16, "%u", trial_runs(row, keep));

    words[n++] = t->program;
    words[n++] = "--workload";
    words[n++] = row->key.workload;
    words[n++] = "--case";
    words[n++] = row->key.case_name;
    words[n++] = "--repeat";
    words[n++] = repeat;
    if (t->quick || keep != KEEP_FIGURES)
        words[n++] = "--quick";
    if (keep == KEEP_NOTHING)
        words[n++] = "--no-warm-up";
    if (t->server) {
        words[n++] = "--server";
        words[n++] = t->server;
    }
    if (t->server || t->subject) {
        words[n++] = "--subject";
        words[n++] = row->key.subject;
    }
    words[n] = NULL;
}

static int
is_text(const json_t *line, const char *member, const char *wanted)
{
    const char *text = json_string_value(json_object_get(line, member));

    return text && strcmp(text, wanted) == 0;
}

static int
are_numbers(const json_t *values, size_t count)
{
    size_t good = 0;

    while (good < count && json_is_number(json_array_get(values, good)) &&
           isfinite(json_number_value(json_array_get(values, good))))
        good++;
    return good == count && json_array_size(values) == count;
}

/* {"workload":...,"case":...,"metric":...,"unit":...,"values":[one a run]} */
static int
take_figure(struct trial_found *f, json_t *line)
{
    if (!is_text(line, "workload", f->row->key.workload) ||
        !is_text(line, "case", f->row->key.case_name) ||
        !is_text(line, "subject", f->row->key.subject) ||
        !json_is_string(json_object_get(line, "metric")) ||
        !json_is_string(json_object_get(line, "unit")) ||
        !are_numbers(json_object_get(line, "values"), f->runs))
        return -EPROTO;
    return json_array_append(f->figures, line) < 0 ? -ENOMEM : 0;
}

static int
take_line(struct trial_found *f, const char *text, size_t length)
{
    json_t *line = json_loadb(text, length, 0, NULL);
    const char *skipped = json_string_value(json_object_get(line, "skipped"));
    const char *uncounted =
        json_string_value(json_object_get(line, "uncounted"));
    int err = 0;

    if (skipped) {
        bench_row_end(f->row, ROW_SKIPPED, "%s", skipped);
        err = -ECANCELED;
    } else if (json_object_get(line, "syscalls")) {
        f->syscalls = json_number_value(json_object_get(line, "syscalls"));
        f->others = json_number_value(json_object_get(line, "others"));
    } else if (uncounted) {
        free(f->row->uncounted);
        f->row->uncounted = strdup(uncounted);
    } else {
        err = take_figure(f, line);
    }
    if (err == -EPROTO)
        bench_row_end(f->row, ROW_FAILED,
                      "printed a line that is no figure of this case: %.*s",
                      length < 80 ? (int)length : 80, text);
    json_decref(line);
    return err;
}

static int
take_lines(struct trial_found *f, const char *text)
{
    int err = 0;

    while (err == 0 && *text) {
        size_t length = strcspn(text, "\n");

        if (length > 0)
            err = take_line(f, text, length);
        text += length + (text[length] == '\n');
    }
    if (err == 0 && json_array_size(f->figures) == 0) {
        bench_row_end(f->row, ROW_FAILED, "printed no figure");
        return -EPROTO;
    }
    return err;
}

static double
figure_value(const json_t *figure, size_t run)
{
    return json_number_value(
        json_array_get(json_object_get(figure, "values"), run));
}

/* Which run was the fastest; the first, of those that tell no time. */
static size_t
fastest_run(const struct trial_found *f)
{
    const json_t *wall = NULL;
    size_t best = 0;

    for (size_t i = 0; i < json_array_size(f->figures); i++)
        if (is_text(json_array_get(f->figures, i), "metric", "wall"))
            wall = json_array_get(f->figures, i);
    for (size_t run = 1; wall && run < f->runs; run++)
        if (figure_value(wall, run) < figure_value(wall, best))
            best = run;
    return best;
}

static int
keep_figure(struct trial_found *f, const json_t *figure, double value)
{
    const char *metric = json_string_value(json_object_get(figure, "metric"));
    const char *unit = json_string_value(json_object_get(figure, "unit"));

    if (strcmp(metric, "ops") == 0)
        f->ops = value;
    if (f->keep != KEEP_FIGURES)
        return 0;
    return bench_row_value(f->row, metric, unit, value);
}

static int
keep_figures(struct trial_found *f)
{
    size_t run = fastest_run(f);
    int err = 0;

    for (size_t i = 0; err == 0 && i < json_array_size(f->figures); i++) {
        const json_t *figure = json_array_get(f->figures, i);

        err = keep_figure(f, figure, figure_value(figure, run));
    }
    return err;
}

/* Of a program that drives a server, the others are the server's. */
static int
keep_syscalls(struct bench_row *row, const struct trial_found *f)
{
    int err = 0;

    if (f->syscalls < 0 || !(f->ops > 0))
        return 0;
    err = bench_row_value(row, "syscalls", "1", f->syscalls / f->ops);
    if (err == 0 && f->others > 0)
        err = bench_row_value(row, "server syscalls", "1", f->others / f->ops);
    return err;
}

/* The run has ended by itself. */
static int
trial_read(struct bench_row *row, enum bench_keep keep,
           const struct bench_ended *ended)
{
    struct trial_found f = {.row = row,
                            .keep = keep,
                            .runs = trial_runs(row, keep),
                            .figures = json_array(),
                            .ops = -1,
                            .syscalls = -1};
    char why[512];
    int err;

    if (ended->status != 0) {
        bench_child_why(ended, why, sizeof why);
        bench_row_end(row, ROW_FAILED, "%s", why);
        json_decref(f.figures);
        return -EIO;
    }
    err = f.figures ? take_lines(&f, ended->out) : -ENOMEM;
    if (err == 0)
        err = keep_figures(&f);
    if (err == 0 && keep == KEEP_SYSCALLS)
        err = keep_syscalls(row, &f);
    json_decref(f.figures);
    if (err == -ENOMEM)
        bench_row_end(row, ROW_FAILED, "%s", strerror(ENOMEM));
    return err;
}

static void
trial_settings(const struct bench_row *row,
               struct bench_setting settings[AXES + 1])
{
    for (enum bench_axis i = 0; i < AXES; i++) {
        settings[i].name = bench_axis_variable(i);
        settings[i].value = *row->key.axis[i] ? row->key.axis[i] : NULL;
    }
    settings[AXES] = (struct bench_setting){0};
}

static int
trial_once(struct bench_row *row, enum bench_keep keep,
           struct bench_ended *ended)
{
    const struct bench_trial *t = &row->trial;
    struct bench_setting settings[AXES + 1];
    const char *words[TRIAL_WORDS];
    char repeat[16];
    struct bench_child c = {.argv = (char *const *)words,
                            .settings = settings,
                            .limit_ns = t->limit_ns,
                            .cpu = t->cpu,
                            .interrupt = t->interrupt};
    char limit[32];
    int err;

    if (keep == KEEP_SYSCALLS)
        c.tracer = t->tracer;
    trial_words(row, keep, repeat, words);
    trial_settings(row, settings);
    err = bench_child_run(&c, ended);
    if (err == -EINTR)
        return err;
    if (keep != KEEP_SYSCALLS)
        row->trial_ns = ended->wall_ns;
    poni_duration_write(limit, sizeof limit, t->limit_ns);
    if (err == -ETIME)
        bench_row_end(row, ROW_FAILED, "did not end within %s", limit);
    else if (err < 0)
        bench_row_end(row, ROW_FAILED, "%s", strerror(-err));
    return err < 0 ? err : trial_read(row, keep, ended);
}

/* What goes wrong under a tracer may be the tracer's fault: it is said, and no
 * more. */
static int
trial_traced(struct bench_row *row, struct bench_ended *ended)
{
    enum bench_state state = row->state;
    char *reason = row->reason;
    int err;

    row->reason = NULL;
    err = trial_once(row, KEEP_SYSCALLS, ended);
    if (row->reason) {
        free(row->uncounted);
        row->uncounted = row->reason;
    }
    row->reason = reason;
    row->state = state;
    return err == -EINTR ? err : 0;
}

int
bench_trial_run(struct bench_row *row, enum bench_keep keep)
{
    struct bench_ended *ended = malloc(sizeof *ended);
    int err = -ENOMEM;

    if (!ended)
        bench_row_end(row, ROW_FAILED, "%s", strerror(ENOMEM));
    else if (keep == KEEP_SYSCALLS)
        err = trial_traced(row, ended);
    else
        err = trial_once(row, keep, ended);
    free(ended);
    return err;
}
