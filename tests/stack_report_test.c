/* SPDX-License-Identifier: MIT */
/*
 * tests/stack_report_test.c - the fiber that ran over its stack is named, and
 * the signal does what it did before.
 */

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "everywhere.h"
#include "pons/pons.h"
#include "unit.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

static int
deeper(int n)
{
    volatile char frame[512];

    frame[n % 512] = 1;
    return n < 0 ? 0 : deeper(n + 1) + frame[n % 512];
}

static int64_t
overflows(void *unused)
{
    (void)unused;
    return deeper(0);
}

static int64_t
faults(void *unused)
{
    (void)unused;
    return raise(SIGSEGV);
}

/* What a child whose fiber runs `fn` writes to stderr before SIGSEGV ends it.
 */
static void
last_words(const char *workers, pons_fiber_f *fn, char *text, size_t size)
{
    struct pons_spawn_options o = {
        .size = sizeof o, .name = "the deep one", .where = "deep.c:7"};
    size_t n = 0;
    ssize_t got;
    int fds[2], status;
    pid_t pid;

    CHECK_EQ(pipe(fds), 0);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        struct rlimit no_core = {0, 0};
        struct pons_task *task;
        int64_t result;

        setrlimit(RLIMIT_CORE, &no_core);
        dup2(fds[1], STDERR_FILENO);
        if (pons_stack_report() == 0 &&
            pons_spawn_with(runtime_of("epoll", workers), fn, NULL, &task,
                            &o) == 0)
            (void)!pons_join(task, &result);
        _exit(0);
    }
    close(fds[1]);
    while ((got = read(fds[0], text + n, size - 1 - n)) > 0)
        n += (size_t)got;
    text[n] = '\0';
    close(fds[0]);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), SIGSEGV);
}

static void
the_fiber_that_runs_over_its_stack_is_named(void)
{
    char text[1000];

    if (SANITIZED)
        SKIP("the sanitizer has a handler of its own");
    for (int workers = 0; workers < 2; workers++) {
        last_words(workers ? "1" : "0", overflows, text, sizeof text);
        CHECK_HAS(text, "stack overflow");
        CHECK_HAS(text, "the deep one");
        CHECK_HAS(text, "deep.c:7");
    }
}

static void
another_fault_is_passed_on_in_silence(void)
{
    char text[1000];

    if (SANITIZED)
        SKIP("the sanitizer has a handler of its own");
    last_words("1", faults, text, sizeof text);
    CHECK_EQ(strlen(text), 0);
}

static const struct unit_test tests[] = {
    {"the_fiber_that_runs_over_its_stack_is_named",
     the_fiber_that_runs_over_its_stack_is_named},
    {"another_fault_is_passed_on_in_silence",
     another_fault_is_passed_on_in_silence},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("stack_report", tests, argc, argv);
}
