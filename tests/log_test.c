/* SPDX-License-Identifier: MIT */
/*
 * tests/log_test.c - lines to a hook, or to stderr.
 */

#include "core/fail.h"
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* stderr, while a test looks at what is written there. A packet socket keeps
 * each write(2) apart. */
static int real_stderr = -1, captured = -1;

static void
capture_begin(void)
{
    int pair[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
    real_stderr = dup(STDERR_FILENO);
    CHECK(dup2(pair[1], STDERR_FILENO) == STDERR_FILENO);
    close(pair[1]);
    captured = pair[0];
}

static void
capture_end(void)
{
    CHECK(dup2(real_stderr, STDERR_FILENO) == STDERR_FILENO);
    close(real_stderr);
    close(captured);
}

enum { WRITTEN = 256 };

/* The next write(2) to stderr; "" if there was none. */
static void
written(char text[WRITTEN])
{
    ssize_t n = recv(captured, text, WRITTEN - 1, 0);

    text[n > 0 ? n : 0] = '\0';
}

struct heard {
    int lines, level;
    char part[64], line[2048];
};

static void
hear(void *arg, enum pons_log_level level, const char *part, const char *line)
{
    struct heard *h = arg;

    h->lines++;
    h->level = (int)level;
    snprintf(h->part, sizeof h->part, "%s", part);
    snprintf(h->line, sizeof h->line, "%s", line);
    errno = EBADF;
}

static void
nothing_is_printed_unless_asked(void)
{
    char first[WRITTEN];

    capture_begin();
    poni_log(PONS_LOG_ERROR, "task", "help");
    written(first);
    capture_end();
    CHECK_EQ(strcmp(first, ""), 0);
    CHECK(!poni_log_wanted(PONS_LOG_ERROR, "task"));
}

static void
a_line_to_stderr_is_one_write(void)
{
    char first[WRITTEN], second[WRITTEN];

    CHECK_EQ(poni_log_configure("PONS_LOG", "warn"), 0);
    capture_begin();
    poni_log(PONS_LOG_WARN, "plugin", "number %d", 7);
    poni_log(PONS_LOG_INFO, "plugin", "not wanted");
    written(first);
    written(second);
    capture_end();
    CHECK_EQ(strcmp(first, "pons: warn: plugin: number 7\n"), 0);
    CHECK_EQ(strcmp(second, ""), 0);
}

static void
a_part_has_its_own_level(void)
{
    CHECK_EQ(poni_log_configure("PONS_LOG", "info,plugin=debug,task=off"), 0);
    CHECK(poni_log_wanted(PONS_LOG_DEBUG, "plugin"));
    CHECK(!poni_log_wanted(PONS_LOG_DEBUG, "reactor"));
    CHECK(poni_log_wanted(PONS_LOG_INFO, "reactor"));
    CHECK(!poni_log_wanted(PONS_LOG_ERROR, "task"));
    CHECK_EQ(poni_log_configure("PONS_LOG", "task=info"), 0);
    CHECK(!poni_log_wanted(PONS_LOG_ERROR, "plugin"));
    CHECK(poni_log_wanted(PONS_LOG_INFO, "task"));
}

static void
the_hook_gets_lines_of_its_level_instead_of_stderr(void)
{
    struct heard h = {0};
    char first[WRITTEN];

    CHECK_EQ(poni_log_configure("PONS_LOG", "debug"), 0);
    pons_log_hook(hear, &h, PONS_LOG_WARN);
    CHECK(!poni_log_wanted(PONS_LOG_INFO, "task"));
    capture_begin();
    errno = ENOTTY;
    poni_log(PONS_LOG_INFO, "task", "too low");
    poni_log(PONS_LOG_ERROR, "task", "x %s", "y");
    CHECK_EQ(errno, ENOTTY);
    written(first);
    capture_end();
    CHECK_EQ(h.lines, 1);
    CHECK_EQ(h.level, PONS_LOG_ERROR);
    CHECK_EQ(strcmp(h.part, "task"), 0);
    CHECK_EQ(strcmp(h.line, "x y"), 0);
    CHECK_EQ(strcmp(first, ""), 0);
    pons_log_hook(NULL, NULL, PONS_LOG_OFF);
    CHECK(poni_log_wanted(PONS_LOG_DEBUG, "task"));
}

static void
a_line_is_one_line_and_is_cut_with_dots(void)
{
    struct heard h = {0};

    pons_log_hook(hear, &h, PONS_LOG_DEBUG);
    poni_log(PONS_LOG_INFO, "task", "a\nb\033[31mc");
    CHECK_EQ(strcmp(h.line, "a?b?[31mc"), 0);
    poni_log(PONS_LOG_INFO, "task", "%05000d", 1);
    CHECK(strlen(h.line) < 1024);
    CHECK_EQ(strcmp(h.line + strlen(h.line) - 3, "..."), 0);
    pons_log_hook(NULL, NULL, PONS_LOG_OFF);
}

static void
a_closed_stderr_does_not_kill(void)
{
    int ends[2], saved;
    sigset_t pending;

    CHECK_EQ(poni_log_configure("PONS_LOG", "debug"), 0);
    CHECK_EQ(pipe(ends), 0);
    close(ends[0]);
    saved = dup(STDERR_FILENO);
    CHECK(dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
    close(ends[1]);
    poni_log(PONS_LOG_ERROR, "task", "nobody reads this");
    sigpending(&pending);
    dup2(saved, STDERR_FILENO);
    close(saved);
    CHECK(!sigismember(&pending, SIGPIPE));
}

/* A hook that is slow to leave. */
struct slow {
    int entered, replacing, left;
};

static void
slow_hook(void *arg, enum pons_log_level level, const char *part,
          const char *line)
{
    struct slow *s = arg;

    (void)level;
    (void)part;
    (void)line;
    __atomic_store_n(&s->entered, 1, __ATOMIC_SEQ_CST);
    while (!__atomic_load_n(&s->replacing, __ATOMIC_SEQ_CST))
        sched_yield();
    for (int i = 0; i < 20000; i++)
        sched_yield(); // gives a replacement that does not wait its chance
    __atomic_store_n(&s->left, 1, __ATOMIC_SEQ_CST);
}

static void *
log_once(void *arg)
{
    poni_log(PONS_LOG_INFO, "task", "slow");
    return arg;
}

static void
replacing_the_hook_waits_for_calls_inside_it(void)
{
    struct slow s = {0};
    struct heard h = {0};
    pthread_t thread;

    pons_log_hook(slow_hook, &s, PONS_LOG_INFO);
    CHECK_EQ(pthread_create(&thread, NULL, log_once, NULL), 0);
    while (!__atomic_load_n(&s.entered, __ATOMIC_SEQ_CST))
        sched_yield();
    __atomic_store_n(&s.replacing, 1, __ATOMIC_SEQ_CST);
    pons_log_hook(hear, &h, PONS_LOG_INFO);
    CHECK(__atomic_load_n(&s.left, __ATOMIC_SEQ_CST));
    poni_log(PONS_LOG_INFO, "task", "after");
    CHECK_EQ(h.lines, 1);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    pons_log_hook(NULL, NULL, PONS_LOG_OFF);
}

static void
fork_in_hook(void *arg, enum pons_log_level level, const char *part,
             const char *line)
{
    int *status = arg;
    pid_t pid = fork();

    (void)level;
    (void)part;
    (void)line;
    if (pid == 0) {
        alarm(20); // a child has none of its parent's
        pons_log_hook(NULL, NULL, PONS_LOG_OFF); // must not wait for us
        _exit(7);
    }
    waitpid(pid, status, 0);
}

static void
a_forked_child_can_replace_the_hook(void)
{
    int status = 0;

    pons_log_hook(fork_in_hook, &status, PONS_LOG_INFO);
    poni_log(PONS_LOG_INFO, "task", "fork");
    pons_log_hook(NULL, NULL, PONS_LOG_OFF);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 7);
}

static void
a_wrong_spec_is_refused_and_changes_nothing(void)
{
    static const struct {
        const char *spec, *part;
    } wrong[] = {
        {"inf", "did you mean \"info\"?"},
        {"loud", "wanted off, error, warn, info or debug"},
        {"info,,task=info", "stands behind a comma"},
        {"info,debug", "stands behind a comma"},
        {"plugn=debug", "did you mean \"plugin\"?"},
        {"task=dbug", "did you mean \"debug\"?"},
        {"task=", "is no level"},
        {"=info", "is no part"},
        {"task=info,task=warn", "said twice"},
    };

    CHECK_EQ(poni_log_configure("PONS_LOG", "error"), 0);
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK_EQ(poni_log_configure("PONS_LOG", wrong[i].spec), -EINVAL);
        CHECK_HAS(pons_last_error(), "PONS_LOG: ");
        CHECK_HAS(pons_last_error(), wrong[i].part);
    }
    CHECK(poni_log_wanted(PONS_LOG_ERROR, "task"));
    CHECK(!poni_log_wanted(PONS_LOG_WARN, "task"));
    CHECK_EQ(poni_log_configure("PONS_LOG", "mine=info"), 0);
}

static const struct unit_test tests[] = {
    {"nothing_is_printed_unless_asked", nothing_is_printed_unless_asked},
    {"a_line_to_stderr_is_one_write", a_line_to_stderr_is_one_write},
    {"a_part_has_its_own_level", a_part_has_its_own_level},
    {"the_hook_gets_lines_of_its_level_instead_of_stderr",
     the_hook_gets_lines_of_its_level_instead_of_stderr},
    {"a_line_is_one_line_and_is_cut_with_dots",
     a_line_is_one_line_and_is_cut_with_dots},
    {"a_closed_stderr_does_not_kill", a_closed_stderr_does_not_kill},
    {"replacing_the_hook_waits_for_calls_inside_it",
     replacing_the_hook_waits_for_calls_inside_it},
    {"a_forked_child_can_replace_the_hook",
     a_forked_child_can_replace_the_hook},
    {"a_wrong_spec_is_refused_and_changes_nothing",
     a_wrong_spec_is_refused_and_changes_nothing},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("log", tests, argc, argv);
}
