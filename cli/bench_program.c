/* SPDX-License-Identifier: MIT */
/*
 * cli/bench_program.c - see cli/bench_program.h.
 *
 * The program is started by bench/program/start.c, whose one line says what the
 * run took: the time is then the program's, and not ours beside it.
 */

#include "bench_program.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench_syscalls.h"
#include "say.h"

enum {
    NAME_BYTES = 256,     // of the command line, in the table
    STATUS_NOT_RUN = 127, // as shells have it
    START_WORDS = 3,      // before the program's own: start --show --
};

/* What start's line has; the units are those of bench/bench.h. */
static const struct {
    const char *metric, *unit;
} program_metrics[] = {
    {"wall", "ns"},    {"cpu", "ns"},     {"user", "ns"}, {"system", "ns"},
    {"switches", "1"}, {"peak rss", "B"}, {NULL, NULL},
};

/* --- what one run says --- */

static void
first_line(const char *text, char *line, size_t size)
{
    text += strspn(text, "\n");
    snprintf(line, size, "%.*s", (int)strcspn(text, "\n"), text);
}

static void
program_failed(struct bench_row *row, const struct bench_ended *ended)
{
    int status = ended->status;
    char line[NAME_BYTES];
    const char *colon;

    first_line(ended->err, line, sizeof line);
    colon = *line ? ": " : "";
    if (WIFSIGNALED(status))
        bench_row_end(row, ROW_FAILED, "killed by signal %d (%s)%s%s",
                      WTERMSIG(status), strsignal(WTERMSIG(status)), colon,
                      line);
    else if (WEXITSTATUS(status) == STATUS_NOT_RUN)
        bench_row_end(row, ROW_FAILED, "would not start%s%s", colon, line);
    else
        bench_row_end(row, ROW_FAILED, "ended with %d%s%s", WEXITSTATUS(status),
                      colon, line);
}

static int
keep_figures(struct bench_row *row, const json_t *line)
{
    int err = 0;

    for (unsigned i = 0; err == 0 && program_metrics[i].metric; i++) {
        const char *metric = program_metrics[i].metric;
        const json_t *value = json_object_get(line, metric);

        if (!json_is_number(value))
            return -EPROTO;
        err = bench_row_value(row, metric, program_metrics[i].unit,
                              json_number_value(value));
    }
    return err;
}

static int
program_read(struct bench_row *row, enum bench_keep keep,
             const struct bench_ended *ended)
{
    json_t *line;
    int err;

    if (ended->status != 0) {
        program_failed(row, ended);
        return -EIO;
    }
    if (keep != KEEP_FIGURES)
        return 0;
    line = json_loads(ended->out, 0, NULL);
    err = keep_figures(row, line);
    json_decref(line);
    if (err < 0)
        bench_row_end(row, ROW_FAILED, "%s", strerror(-err));
    return err;
}

/* Nothing that goes wrong under the tracer is held against the program. */
static int
program_read_traced(struct bench_row *row, const struct bench_ended *ended)
{
    json_t *line = json_loads(ended->out, 0, NULL);
    const json_t *value = json_object_get(line, "syscalls");

    if (ended->status == 0 && json_is_number(value))
        (void)bench_row_value(row, "syscalls", "1", json_number_value(value));
    json_decref(line);
    return 0;
}

/* --- one run --- */

/* In the child, in place of the program: its output does not mix with the
 * tracer's line. */
static int
program_trace(char *const *argv)
{
    int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);

    dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
    return bench_syscalls_trace(out, argv);
}

/* The words of `start`, or the program's alone where it is traced. The caller
 * frees the array. */
static const char **
program_words(const struct bench_trial *t, int traced)
{
    size_t count = 0, n = 0;
    const char **words;

    while (t->arguments[count])
        count++;
    words = calloc(START_WORDS + count + 1, sizeof *words);
    if (!words)
        return NULL;
    if (!traced)
        words[n++] = t->program;
    if (!traced && t->show)
        words[n++] = "--show";
    if (!traced)
        words[n++] = "--"; // what follows is the program's, whatever it is
    memcpy(words + n, t->arguments, count * sizeof *words);
    return words;
}

static int
program_once(struct bench_row *row, enum bench_keep keep, const char **words,
             struct bench_ended *ended)
{
    const struct bench_trial *t = &row->trial;
    struct bench_setting settings[AXES + 1] = {0};
    struct bench_child c = {.argv = (char *const *)words,
                            .settings = settings,
                            .limit_ns = t->limit_ns,
                            .cpu = -1,
                            .interrupt = t->interrupt};
    unsigned n = 0;
    int err;

    for (enum bench_axis i = 0; i < AXES; i++)
        if (*row->key.axis[i])
            settings[n++] = (struct bench_setting){bench_axis_variable(i),
                                                   row->key.axis[i]};
    if (keep == KEEP_SYSCALLS)
        c.tracer = program_trace;
    err = bench_child_run(&c, ended);
    if (err == -EINTR)
        return err;
    if (keep == KEEP_SYSCALLS && err == -ETIME)
        row->uncounted = strdup("the run that counts did not end in time");
    if (keep == KEEP_SYSCALLS)
        return program_read_traced(row, ended);
    row->trial_ns = ended->wall_ns;
    if (t->show)
        say_plain(stderr, ended->err);
    if (err == -ETIME)
        bench_row_end(row, ROW_FAILED, "did not end within %llu s",
                      (unsigned long long)(t->limit_ns / 1000000000));
    else if (err < 0)
        bench_row_end(row, ROW_FAILED, "%s", strerror(-err));
    return err < 0 ? err : program_read(row, keep, ended);
}

static int
program_run(struct bench_row *row, enum bench_keep keep)
{
    struct bench_ended *ended = malloc(sizeof *ended);
    const char **words = program_words(&row->trial, keep == KEEP_SYSCALLS);
    int err = -ENOMEM;

    if (ended && words)
        err = program_once(row, keep, words, ended);
    else
        bench_row_end(row, ROW_FAILED, "%s", strerror(ENOMEM));
    free(words);
    free(ended);
    return err;
}

/* --- the rows --- */

/* The command line, as far as it fits. */
static void
program_line(char *const *argv, char *text, size_t size)
{
    size_t used = 0;

    *text = '\0';
    for (unsigned i = 0; argv[i] && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? " " : "",
                                 argv[i]);
}

int
bench_program_plan(const struct bench_plan *p, struct bench_program *o,
                   struct bench_result *r)
{
    unsigned axes = 1u << AXIS_REACTOR | 1u << AXIS_POOL;
    const char *slash = strrchr(o->argv[0], '/');
    char line[NAME_BYTES];
    struct bench_trial t = p->trial;
    struct bench_key key = {.workload = (char *)"program",
                            .case_name = line,
                            .subject = slash ? (char *)slash + 1 : o->argv[0]};

    snprintf(o->start, sizeof o->start, "%s/program/start", p->catalog->dir);
    if (access(o->start, X_OK) < 0) {
        int err = -errno;

        say_error("bench: %s: %s", o->start, strerror(-err));
        return err;
    }
    if (bench_about_add(r, &(const struct bench_about){
                               .workload = key.workload,
                               .subject = key.subject,
                               .measures = (char *)"one run of the program",
                               .how = (char *)"from before its start until it "
                                              "has ended, with the children "
                                              "that it waited for",
                               .silent = (char *)"where in the program the "
                                                 "time goes"}) < 0) {
        say_error("bench: %s", strerror(ENOMEM));
        return -ENOMEM;
    }
    program_line(o->argv, line, sizeof line);
    if (o->workers)
        axes |= 1u << AXIS_WORKERS;
    t.run = program_run;
    t.program = o->start;
    t.arguments = o->argv;
    t.show = o->show;
    return bench_plan_vary(r, &key, axes, p->choice, &t);
}
