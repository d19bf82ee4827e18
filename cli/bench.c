/* SPDX-License-Identifier: MIT */
/*
 * cli/bench.c - `pons bench`: what things cost here, by each engine; and what
 * they cost by hand (--limits) and by others (--peers).
 *
 * The figures are other programs': this one finds them, runs them in turn, and
 * says what their values mean together.
 */

#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench_baseline.h"
#include "bench_environment.h"
#include "bench_json.h"
#include "bench_list.h"
#include "bench_plan.h"
#include "bench_program.h"
#include "bench_run.h"
#include "bench_stats.h"
#include "bench_syscalls.h"
#include "bench_table.h"
#include "bench_versions.h"
#include "command.h"
#include "interrupt.h"
#include "say.h"

struct bench_values {
    const char *axes[AXES];
    const char *json, *peers, *dir, *baseline;
    char **program;
    uint64_t repeat, time_ns, timeout_ns;
    int quick, limits, list, show;
};

enum {
    REPEAT_MAX = 1000,      // as the programs themselves
    VALUES_LEAST = 11,      // before a row may settle
    VALUES_LEAST_QUICK = 6, // fewer have no interval
    VALUES_MOST = 60,       // what has not settled by then is not going to
    VALUES_MOST_QUICK = 30,
};

#define SECOND 1000000000ULL
#define DAY    (86400 * SECOND)

/* How long it may all take. A row's share is what most settle in by far; the
 * whole, for all of our own, is a quarter of an hour, and under a minute. */
static const struct bench_times {
    uint64_t row_ns, whole_ns, timeout_ns, trace_ns;
} times_full = {10 * SECOND, 14 * 60 * SECOND, 60 * SECOND, 10 * SECOND},
  times_quick = {2 * SECOND, 45 * SECOND, 10 * SECOND, SECOND};

// clang-format off
static const struct option bench_options[] = {
    {0, "reactor", "LIST", OPTION_TEXT,
     offsetof(struct bench_values, axes[AXIS_REACTOR]), 0, 0,
     "only these (default: all that work here)"},
    {0, "pool", "LIST", OPTION_TEXT,
     offsetof(struct bench_values, axes[AXIS_POOL]), 0, 0,
     "with each of these (default: elastic)"},
    {0, "workers", "LIST", OPTION_TEXT,
     offsetof(struct bench_values, axes[AXIS_WORKERS]), 0, 0,
     "with each of these numbers of workers (default: 1)"},
    {0, "limits", NULL, OPTION_FLAG, offsetof(struct bench_values, limits), 0,
     0, "the floors too: hand-written code that does the same"},
    {0, "peers", "NAMES", OPTION_TEXT, offsetof(struct bench_values, peers), 0,
     0, "these peers too, or `all'; their setup is in the source tree"},
    {0, "repeat", "N", OPTION_NUMBER, offsetof(struct bench_values, repeat), 1,
     REPEAT_MAX, "exactly N values of each, however they spread"},
    {0, "quick", NULL, OPTION_FLAG, offsetof(struct bench_values, quick), 0, 0,
     "a twentieth of the operations, in less than a minute"},
    {0, "time", "DURATION", OPTION_DURATION,
     offsetof(struct bench_values, time_ns), 1, DAY,
     "begin no run after that long in all"},
    {0, "timeout", "DURATION", OPTION_DURATION,
     offsetof(struct bench_values, timeout_ns), 1, DAY,
     "end a run that takes longer (default 60s; quick: 10s)"},
    {0, "json", "FILE", OPTION_TEXT, offsetof(struct bench_values, json), 0, 0,
     "write all values to FILE; - : print them, and no tables"},
    {0, "baseline", "FILE", OPTION_TEXT,
     offsetof(struct bench_values, baseline), 0, 0,
     "compare with an earlier --json; 3 if something is worse"},
    {0, "program", "COMMAND...", OPTION_REST,
     offsetof(struct bench_values, program), 0, 0,
     "in place of workloads, a program and its arguments"},
    {0, "show", NULL, OPTION_FLAG, offsetof(struct bench_values, show), 0, 0,
     "show what that program prints, on stderr"},
    {0, "list", NULL, OPTION_FLAG, offsetof(struct bench_values, list), 0, 0,
     "only say what the workloads are"},
    {0, "dir", "DIR", OPTION_TEXT, offsetof(struct bench_values, dir), 0, 0,
     "whose programs say what they measure (default: our own)"},
    {0},
};
// clang-format on

/* Those of one worker are pinned to it: the last that is allowed, for the first
 * ones take the interrupts. */
static int
last_processor(void)
{
    cpu_set_t set;
    int last = -1;

    if (sched_getaffinity(0, sizeof set, &set) < 0)
        return -1;
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET((size_t)i, &set))
            last = i;
    return last;
}

static uint64_t
whole_ns(const struct bench_values *v, const struct bench_times *times,
         const struct bench_result *r)
{
    uint64_t by_rows_ns = 0;

    for (size_t i = 0; i < r->row_count; i++)
        if (r->rows[i].state == ROW_WAITING)
            by_rows_ns += times->row_ns;
    if (v->time_ns)
        return v->time_ns;
    if (v->repeat)
        return UINT64_MAX;
    /* Peers are as many rows again, and may take their time. */
    return v->peers || by_rows_ns < times->whole_ns ? by_rows_ns
                                                    : times->whole_ns;
}

/* An axis that was named, and that no row varies with, was named in vain. */
static void
say_vain_axes(const struct bench_values *v, const struct bench_result *r)
{
    static const char *const names[AXES] = {"--reactor", "--pool", "--workers"};

    for (int axis = 0; axis < AXES; axis++) {
        size_t i = 0;

        while (i < r->row_count && !*r->rows[i].key.axis[axis])
            i++;
        if (v->axes[axis] && i == r->row_count)
            say_error("bench: %s changes nothing: none of what is chosen "
                      "varies with it",
                      names[axis]);
    }
}

/* One call of the command. */
struct bench_session {
    const struct bench_values *values;
    const struct bench_times *times;
    const struct bench_catalog *catalog;
    char *const *workloads;          // NULL-terminated
    struct bench_baseline *baseline; // NULL: not asked for
    FILE *json;                      // likewise
};

/* What was in FILE is lost when there is something to put there, and not while
 * it is measured. */
static FILE *
json_open(const char *path)
{
    int fd;
    FILE *f;

    if (strcmp(path, "-") == 0)
        return stdout;
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return NULL;
    f = fdopen(fd, "w");
    if (!f)
        close(fd);
    return f;
}

static int
json_fill(FILE *json, const struct bench_result *r)
{
    struct stat st;

    if (json != stdout && fstat(fileno(json), &st) == 0 &&
        S_ISREG(st.st_mode) && ftruncate(fileno(json), 0) < 0)
        return -errno;
    return bench_json_write(r, json);
}

/* How many figures are worse than the baseline's. */
static int
session_report(const struct bench_session *s, const struct bench_result *r)
{
    FILE *out = s->json == stdout ? stderr : stdout;
    int err = 0;

    /* The file first: nobody may be there to take the tables. */
    if (s->json)
        err = json_fill(s->json, r);
    if (err < 0)
        say_error("bench: %s: %s", s->values->json, strerror(-err));
    if (s->json != stdout)
        bench_table_print(r, stdout);
    if (err < 0 || !s->baseline || r->interrupted)
        return err;
    err = bench_baseline_compare(s->baseline, r, out);
    if (err == -ENOMEM)
        say_error("bench: %s", strerror(ENOMEM));
    return err;
}

/* Says so, with the first reason, when there is no figure. */
static int
nothing_ran(const struct bench_result *r)
{
    int skipped = 1;

    for (size_t i = 0; i < r->row_count; i++) {
        if (r->rows[i].figure_count > 0)
            return 0;
        skipped = skipped && r->rows[i].state == ROW_SKIPPED;
    }
    say_error("bench: nothing %s: %s: %s",
              skipped ? "could run" : "was measured", r->rows[0].key.subject,
              r->rows[0].reason ? r->rows[0].reason : "the time was up");
    return 1;
}

/* Of failures and regressions the failure is what is to be looked at first. */
static int
session_status(const struct bench_result *r, int worse)
{
    if (r->interrupted)
        return STATUS_INTERRUPTED;
    for (size_t i = 0; i < r->row_count; i++)
        if (r->rows[i].state == ROW_FAILED)
            return STATUS_FAILED;
    if (nothing_ran(r) || worse < 0)
        return STATUS_FAILED;
    return worse > 0 ? STATUS_WORSE : STATUS_OK;
}

/* The rows are there. */
static int
session_measure(const struct bench_session *s, struct bench_result *r)
{
    const struct bench_values *v = s->values;
    struct bench_run_limits limits = {
        .repeat = (unsigned)v->repeat,
        .least = v->quick ? VALUES_LEAST_QUICK : VALUES_LEAST,
        .most = v->quick ? VALUES_MOST_QUICK : VALUES_MOST,
        .discard = !v->quick,
        .budget_ns = whole_ns(v, s->times, r),
        .stretches = v->program && !v->time_ns,
        .trace_ns = s->times->trace_ns};
    int err;

    r->environment = bench_environment_new();
    if (r->environment)
        bench_versions_add(r->environment, s->catalog, r);
    limits.interrupt = interrupt_open();
    if (limits.interrupt < 0) {
        say_error("bench: %s", strerror(-limits.interrupt));
        return STATUS_FAILED;
    }
    for (size_t i = 0; i < r->row_count; i++)
        r->rows[i].trial.interrupt = limits.interrupt;
    err = r->environment ? bench_run(r, &limits) : -ENOMEM;
    interrupt_close(limits.interrupt); // what follows may wait for a reader
    if (err < 0) {
        say_error("bench: %s", strerror(-err));
        return STATUS_FAILED;
    }
    return session_status(r, session_report(s, r));
}

/* Where to is known before anything runs: half an hour later is too late. */
static int
session_run(struct bench_session *s, struct bench_result *r)
{
    const char *path = s->values->json;
    int status;

    if (path)
        s->json = json_open(path);
    if (path && !s->json) {
        say_error("bench: %s: %s", path, strerror(errno));
        return STATUS_FAILED;
    }
    status = session_measure(s, r);
    if (s->json && s->json != stdout && fclose(s->json) != 0) {
        say_error("bench: %s: %s", path, strerror(errno));
        status = STATUS_FAILED;
    }
    return status;
}

static int
session_plan(struct bench_session *s)
{
    const struct bench_values *v = s->values;
    struct bench_result result = {.quick = v->quick};
    struct bench_choice choice;
    struct bench_program program = {.argv = v->program,
                                    .workers = v->axes[AXIS_WORKERS] != NULL,
                                    .show = v->show};
    struct bench_plan plan = {.catalog = s->catalog,
                              .choice = &choice,
                              .workloads = s->workloads,
                              .peers = v->peers,
                              .limits = v->limits,
                              .trial = {.tracer = bench_syscalls_tracer(),
                                        .limit_ns = v->timeout_ns
                                                        ? v->timeout_ns
                                                        : s->times->timeout_ns,
                                        .cpu = last_processor(),
                                        .quick = v->quick,
                                        .interrupt = -1}};
    const char *axes[AXES];
    int status = STATUS_USAGE;
    int err;

    memcpy(axes, v->axes, sizeof axes);
    if (v->program && !axes[AXIS_POOL])
        axes[AXIS_POOL] = "all"; // which suits it is what is asked
    err = bench_choice_read(&choice, axes);
    if (err < 0)
        return STATUS_USAGE;
    err = v->program ? bench_program_plan(&plan, &program, &result)
                     : bench_plan_rows(&plan, &result);
    if (err == 0) {
        say_vain_axes(v, &result);
        status = session_run(s, &result);
    }
    bench_result_fini(&result);
    bench_choice_fini(&choice);
    return status;
}

static int
session_open(const struct bench_values *v, const struct bench_catalog *catalog,
             char *const *workloads)
{
    struct bench_session s = {.values = v,
                              .times = v->quick ? &times_quick : &times_full,
                              .catalog = catalog,
                              .workloads = workloads};
    int status;

    if (v->baseline && bench_baseline_open(&s.baseline, v->baseline) < 0)
        return STATUS_USAGE;
    status = session_plan(&s);
    if (s.baseline)
        bench_baseline_close(s.baseline);
    return status;
}

static int
bench_with(const struct bench_values *v, char *const *workloads)
{
    struct bench_catalog catalog;
    int status, err;

    if (bench_catalog_open(&catalog, v->dir) < 0)
        return STATUS_USAGE;
    if (catalog.count == 0 && !v->program) {
        say_error("bench: there are no workloads in %s; --dir says where their "
                  "programs are",
                  catalog.dir);
        status = STATUS_USAGE;
    } else if (!v->list) {
        status = session_open(v, &catalog, workloads);
    } else {
        err = bench_list_print(&catalog, workloads, stdout);
        status = err == -ENOENT ? STATUS_USAGE
                 : err < 0      ? STATUS_FAILED
                                : STATUS_OK;
    }
    bench_catalog_fini(&catalog);
    return status;
}

static int
bench_command_run(void *values, int count, char **operands)
{
    const struct bench_values *v = values;
    char **workloads = calloc((size_t)count + 1, sizeof *workloads);
    int status;

    if (!workloads) {
        say_error("bench: %s", strerror(ENOMEM));
        return STATUS_FAILED;
    }
    memcpy(workloads, operands, (size_t)count * sizeof *workloads);
    if (v->program && (count > 0 || v->limits || v->peers)) {
        say_error("bench: --program goes with neither workloads nor --limits "
                  "nor --peers");
        status = STATUS_USAGE;
    } else if (v->baseline && v->repeat && v->repeat < STATS_ENOUGH) {
        say_error("bench: --baseline compares intervals, which take %d values "
                  "or more: not --repeat %llu",
                  STATS_ENOUGH, (unsigned long long)v->repeat);
        status = STATUS_USAGE;
    } else {
        status = bench_with(v, workloads);
    }
    free(workloads);
    return status;
}

const struct command bench_command = {
    .name = "bench",
    .operands = "[WORKLOAD... | --program COMMAND...]",
    .summary = "what things cost here, by each engine, by hand and by others",
    // clang-format off
    .text =
        "Runs each workload (default: all; --list says what there is) with each "
        "reactor,\npool and number of workers that it varies with: in rounds, "
        "shuffled, pinned, until\nthe 95 % interval of the median is within 5 % "
        "of it, or the time is up. Prints a\ntable for each case. ctrl-C ends "
        "it and keeps what is done.\n\nLISTs are separated by commas; an engine "
        "may have options: elastic:max=8.\nExit status: 0; 1 if a row "
        "failed, nothing was measured, or nothing compared; 2 for wrong\nwords; "
        "3 if --baseline shows something worse; 130 after ctrl-C.\n",
    // clang-format on
    .options = bench_options,
    .values_size = sizeof(struct bench_values),
    .least = 0,
    .most = UINT_MAX,
    .run = bench_command_run,
};
