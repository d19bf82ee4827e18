/* SPDX-License-Identifier: MIT */
/*
 * cli/bench_table.c - see cli/bench_table.h.
 *
 * A line per subject; figures that have no column, or on a narrow terminal no
 * room for it, follow on lines of their own. The first subject that was
 * measured is what the others of its table are compared with.
 */

#include "bench_table.h"

#include <limits.h>
#include <math.h>
#include <string.h>
#include <sys/ioctl.h>

#include "bench_about.h"
#include "bench_environment.h"
#include "bench_run.h"
#include "bench_stats.h"
#include "bench_units.h"
#include "say.h"

enum {
    SUBJECT_LEAST = 8,
    SUBJECT_MOST = 60,
    BAR = 16,  // columns of the longest
    CELL = 10, // "999.9 KiB" and a space
    SIDE = 8,  // "  123.4~": what stands beside the median
    MARK = 4,  // before the bar
    MARGIN = 2,
    OTHERS = 6, // how far what follows a row is indented
};

/* What has a column; "median" and what is about it stand for the main one. Of a
 * row that measures a server they are the server's: "server user", ... */
static const struct {
    const char *metric, *title;
} columns[] = {
    {"user", "user"},         {"system", "system"}, {"syscalls", "calls"},
    {"switches", "switches"}, {"rss", "rss"},
};

enum { COLUMNS = sizeof columns / sizeof columns[0] };

/* The rows of one workload and case. */
struct table {
    const struct bench_row *all; // of all tables
    int columns;                 // of the terminal; INT_MAX: it is none
    int narrow;                  // there is no room for all
    int bar;                     // of the longest
    const struct bench_row *rows;
    size_t count;
    int width;                // of the subjects
    struct bench_stats first; // what the others are compared with
    const struct bench_row *first_row;
    double longest; // median
};

static int
stats_of(struct bench_stats *s, const struct bench_figure *f)
{
    *s = (struct bench_stats){0};
    return f && bench_stats_of(s, f->values, f->count) == 0 && s->count > 0;
}

static const char server_prefix[] = "server ";

static int
has_column(const char *metric)
{
    size_t skipped = sizeof server_prefix - 1;

    if (strncmp(metric, server_prefix, skipped) == 0)
        metric += skipped;
    for (unsigned i = 0; i < COLUMNS; i++)
        if (strcmp(columns[i].metric, metric) == 0)
            return 1;
    return strcmp(metric, "ops") == 0; // is of no interest to people
}

static const struct bench_figure *
column_figure(const struct bench_row *row, const char *metric)
{
    const struct bench_figure *f;
    char name[64];

    snprintf(name, sizeof name, "%s%s", server_prefix, metric);
    f = bench_row_figure(row, name);
    return f ? f : bench_row_figure(row, metric);
}

static void
print_cell(FILE *out, double value, const char *unit)
{
    char text[32];

    bench_units_write(text, sizeof text, value, unit);
    fprintf(out, "%*s", CELL, text);
}

static void
print_title(const struct table *t, FILE *out)
{
    const struct bench_figure *f =
        t->first_row ? bench_row_main(t->first_row) : NULL;

    fputc('\n', out);
    say_plain(out, t->rows->key.workload);
    fputs(": ", out);
    say_plain(out, t->rows->key.case_name);
    if (!f) {
        fputc('\n', out);
        return;
    }
    fprintf(out, " (%s", f->metric);
    if (t->first_row->trial.in_a_row > 1)
        fprintf(out, ", of the fastest of %u runs",
                t->first_row->trial.in_a_row);
    fprintf(out, ")\n  %-*s%*s%*s", t->width, "subject", CELL, "median", SIDE,
            "+-%");
    if (!t->narrow) {
        fprintf(out, "%*s%*s", CELL, "least", CELL, "most");
        for (unsigned i = 0; i < COLUMNS; i++)
            fprintf(out, "%*s", CELL, columns[i].title);
    }
    fputc('\n', out);
}

static void
print_bar(const struct table *t, double value, FILE *out)
{
    int full = t->longest > 0 ? (int)(value / t->longest * t->bar + 0.5) : 0;

    for (int i = 0; i < full; i++)
        fputc('#', out);
}

/* The wider side of the interval, in percent of the median. */
static double
percent(const struct bench_stats *s)
{
    double up = s->high - s->median, down = s->median - s->low;
    double wide = up > down ? up : down;

    if (wide <= 0)
        return 0;
    return s->median != 0 ? 100 * wide / fabs(s->median) : INFINITY;
}

static char
mark_of(const struct table *t, const struct bench_row *row,
        const struct bench_stats *s)
{
    static const char marks[] = "-=+";

    if (row == t->first_row)
        return ' ';
    return marks[1 + bench_stats_compare(&t->first, s)];
}

static void
print_columns(const struct bench_row *row, const struct bench_figure *f,
              const struct bench_stats *s, FILE *out)
{
    print_cell(out, s->min, f->unit);
    print_cell(out, s->max, f->unit);
    for (unsigned i = 0; i < COLUMNS; i++) {
        const struct bench_figure *one = column_figure(row, columns[i].metric);
        struct bench_stats of;

        if (stats_of(&of, one))
            print_cell(out, of.median, one->unit);
        else
            fprintf(out, "%*s", CELL, "-");
    }
}

static void
print_main(const struct table *t, const struct bench_row *row,
           const struct bench_figure *f, const struct bench_stats *s, FILE *out)
{
    print_cell(out, s->median, f->unit);
    if (s->enough && percent(s) < 1000)
        fprintf(out, "%*.1f%c", SIDE - 1, percent(s),
                row->state == ROW_SETTLED ? ' ' : '~');
    else
        fprintf(out, "%*s", SIDE, "~");
    if (!t->narrow)
        print_columns(row, f, s, out);
    fprintf(out, "  %c ", mark_of(t, row, s));
    print_bar(t, s->median, out);
    fputc('\n', out);
}

/* "wall 100 ns, p99 12.3 us": lines of words, below a row. */
struct others {
    FILE *out;
    int column; // 0: there are none yet
    int most;   // columns of a line
};

static void
others_add(struct others *o, const char *name, double value, const char *unit)
{
    char text[32];
    int length;

    bench_units_write(text, sizeof text, value, unit);
    length = (int)(strlen(name) + 1 + strlen(text));
    if (o->column > 0 && o->most - o->column <= 2 + length) {
        fputs(",\n", o->out);
        o->column = 0;
    } else if (o->column > 0) {
        o->column += fprintf(o->out, ", ");
    }
    if (o->column == 0)
        o->column = fprintf(o->out, "%*s", OTHERS, "");
    say_plain(o->out, name);
    fprintf(o->out, " %s", text);
    o->column += length;
}

/* For which the row had no room. */
static void
others_add_columns(struct others *o, const struct bench_row *row,
                   const struct bench_figure *f, const struct bench_stats *s)
{
    others_add(o, "least", s->min, f->unit);
    others_add(o, "most", s->max, f->unit);
    for (unsigned i = 0; i < COLUMNS; i++) {
        const struct bench_figure *one = column_figure(row, columns[i].metric);
        struct bench_stats of;

        if (stats_of(&of, one))
            others_add(o, columns[i].title, of.median, one->unit);
    }
}

/* Latencies, and whatever else the case says. */
static void
print_others(const struct table *t, const struct bench_row *row,
             const struct bench_figure *main, const struct bench_stats *s,
             FILE *out)
{
    struct others o = {.out = out, .most = t->columns};

    if (t->narrow)
        others_add_columns(&o, row, main, s);
    for (size_t i = 0; i < row->figure_count; i++) {
        const struct bench_figure *f = &row->figures[i];
        struct bench_stats of;

        if (f != main && !has_column(f->metric) && stats_of(&of, f))
            others_add(&o, f->metric, of.median, f->unit);
    }
    if (o.column > 0)
        fputc('\n', out);
    if (row->uncounted) {
        fprintf(out, "%*scalls: not counted: ", OTHERS, "");
        say_plain(out, row->uncounted);
        fputc('\n', out);
    }
}

/* Whether a row before it, of the same subject, was skipped for the same. */
static int
reason_is_known(const struct table *t, const struct bench_row *row)
{
    char subject[256], other[256];

    if (row->state != ROW_SKIPPED || !row->reason)
        return 0;
    bench_key_write(&row->key, subject, sizeof subject);
    for (const struct bench_row *r = t->all; r < row; r++) {
        if (r->state != ROW_SKIPPED || !r->reason ||
            strcmp(r->reason, row->reason) != 0)
            continue;
        bench_key_write(&r->key, other, sizeof other);
        if (strcmp(subject, other) == 0)
            return 1;
    }
    return 0;
}

static void
print_reason(const struct table *t, const struct bench_row *row, FILE *out)
{
    if (reason_is_known(t, row)) {
        fputs("  skipped: as above\n", out);
        return;
    }
    fputs(row->state == ROW_SKIPPED  ? "  skipped: "
          : row->state == ROW_FAILED ? "  failed: "
                                     : "  not measured: ",
          out);
    say_plain(out, row->reason ? row->reason : "the time was up");
    fputc('\n', out);
}

static void
print_row(const struct table *t, const struct bench_row *row, FILE *out)
{
    const struct bench_figure *f = bench_row_main(row);
    struct bench_stats s;
    char subject[256];
    int measured = stats_of(&s, f);

    bench_key_write(&row->key, subject, sizeof subject);
    fputs("  ", out);
    say_plain(out, subject);
    for (int i = (int)strlen(subject); i < t->width; i++)
        fputc(' ', out);
    if (!measured || row->state == ROW_FAILED)
        print_reason(t, row, out);
    if (!measured)
        return;
    if (row->state == ROW_FAILED)
        fprintf(out, "  %*s", t->width, "before that");
    print_main(t, row, f, &s, out);
    print_others(t, row, f, &s, out);
}

static void
table_measure(struct table *t)
{
    t->width = SUBJECT_LEAST;
    for (size_t i = 0; i < t->count; i++) {
        struct bench_stats s;
        char subject[256];
        int width;

        bench_key_write(&t->rows[i].key, subject, sizeof subject);
        width = (int)strlen(subject);
        if (width > t->width)
            t->width = width < SUBJECT_MOST ? width : SUBJECT_MOST;
        if (!stats_of(&s, bench_row_main(&t->rows[i])))
            continue;
        if (s.median > t->longest)
            t->longest = s.median;
        if (!t->first_row) {
            t->first_row = &t->rows[i];
            t->first = s;
        }
    }
}

static int
terminal_columns(FILE *out)
{
    struct winsize size;

    if (ioctl(fileno(out), TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return INT_MAX; // no terminal, or one that does not say
    return size.ws_col;
}

/* The last column stays empty: some terminals begin a new line after it. */
static void
table_fit(struct table *t)
{
    int least = MARGIN + t->width + CELL + SIDE + MARK;

    t->bar = BAR;
    t->narrow = t->columns <= least + (2 + COLUMNS) * CELL + BAR;
    if (t->narrow && t->columns <= least + BAR)
        t->bar = t->columns > least + 1 ? t->columns - least - 1 : 0;
}

static size_t
table_print(const struct bench_row *all, const struct bench_row *rows,
            size_t count, FILE *out)
{
    struct table t = {
        .all = all, .rows = rows, .columns = terminal_columns(out)};

    while (t.count < count &&
           strcmp(rows[t.count].key.workload, rows->key.workload) == 0 &&
           strcmp(rows[t.count].key.case_name, rows->key.case_name) == 0)
        t.count++;
    table_measure(&t);
    table_fit(&t);
    if (*rows->key.workload)
        print_title(&t, out);
    else
        fputs("\nnot measured\n", out);
    for (size_t i = 0; i < t.count; i++)
        print_row(&t, &rows[i], out);
    return t.count;
}

static void
print_abouts(const struct bench_result *r, const char *workload, FILE *out)
{
    const struct bench_about *first = NULL;

    for (size_t i = 0; i < r->about_count; i++) {
        if (strcmp(r->abouts[i].workload, workload) != 0)
            continue;
        if (!first)
            first = &r->abouts[i];
        bench_about_print(&r->abouts[i], first, out);
    }
}

static void
print_environment(const struct bench_environment *e, FILE *out)
{
    for (size_t i = 0; e && i < e->count; i++) {
        fprintf(out, "%-15s  ", e->facts[i].name);
        say_plain(out, e->facts[i].text);
        fputc('\n', out);
    }
}

/* What the marks mean, and how many rows are not what they should be. */
static void
print_legend(const struct bench_result *r, FILE *out)
{
    size_t wide = 0, failed = 0;

    for (size_t i = 0; i < r->row_count; i++) {
        wide += r->rows[i].state == ROW_WIDE;
        failed += r->rows[i].state == ROW_FAILED;
    }
    fputs("\nFigures are medians, of one operation; +-% is the 95 % interval "
          "of the median.\nBeside the first of its table: + more (slower), - "
          "less (faster), = no telling.\nWhere a server is measured, user to "
          "rss are the server's.\n",
          out);
    if (wide > 0)
        fprintf(out,
                "~ %zu of %zu rows: the interval is wider than +-%.0f %%%s.\n",
                wide, r->row_count, 100 * bench_run_share,
                r->interrupted ? ", it was interrupted"
                               : ", and the time or the repetitions are used "
                                 "up");
    if (failed > 0)
        fprintf(out, "%zu of %zu rows failed.\n", failed, r->row_count);
    if (r->quick && r->about_count > 0) // --program has no operations of ours
        fputs("--quick: with a twentieth of the operations; for a first "
              "look.\n",
              out);
}

void
bench_table_print(const struct bench_result *r, FILE *out)
{
    size_t i = 0;

    print_environment(r->environment, out);
    while (i < r->row_count) {
        const char *workload = r->rows[i].key.workload;

        i += table_print(r->rows, &r->rows[i], r->row_count - i, out);
        if (i == r->row_count || strcmp(r->rows[i].key.workload, workload) != 0)
            print_abouts(r, workload, out);
    }
    print_legend(r, out);
}
