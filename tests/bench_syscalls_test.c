/* SPDX-License-Identifier: MIT */
/*
 * tests/bench_syscalls_test.c - cli/bench_syscalls.c, which counts a program's
 * system calls.
 *
 * The program is this one: `bench_syscalls_test --act NAME` does something of
 * which every call is known, or whose status tells how it fared.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"
#include "cli/bench_syscalls.h"
#include "on_valgrind.h"
#include "unit.h"

enum { CALLS = 1000, THREADS = 3, SIGNALS = 20, WORDS = 4096, TOLD = 100 };

/* --- what the program does --- */

static int *shared; // between an act's processes

static void
mark(int open)
{
    (void)prctl(BENCH_MARK, open);
}

static void
call(int times)
{
    for (int i = 0; i < times; i++)
        (void)syscall(SYS_getppid);
}

static void
reach(int *place, int value)
{
    __atomic_fetch_add(place, value, __ATOMIC_ACQ_REL);
}

/* Without a system call. */
static void
spin_until(const int *place, int value)
{
    while (__atomic_load_n(place, __ATOMIC_ACQUIRE) < value)
        ;
}

static int
act_window(void)
{
    call(7);
    mark(1);
    call(CALLS);
    mark(0);
    call(7);
    return 0;
}

static int
act_windows(void)
{
    mark(1);
    call(3);
    mark(0);
    act_window();
    mark(1);
    call(5);
    return 0;
}

static int
act_no_window(void)
{
    call(CALLS);
    return 0;
}

static int phase;

static void *
thread_in_window(void *arg)
{
    (void)arg;
    reach(&phase, 1);
    spin_until(&phase, THREADS + 1);
    call(CALLS);
    reach(&phase, 1);
    spin_until(&phase, 2 * THREADS + 2);
    return NULL;
}

/* Phases: each thread is there; the window is open; each has called; it has
 * been closed. */
static int
act_threads(void)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, thread_in_window, NULL);
    spin_until(&phase, THREADS);
    mark(1);
    reach(&phase, 1);
    call(CALLS);
    spin_until(&phase, 2 * THREADS + 1);
    mark(0);
    reach(&phase, 1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}

static int
act_fork(void)
{
    mark(1);
    if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) == 0) {
        call(2 * CALLS);
        reach(shared, 1);
        spin_until(shared, 2);
        _exit(0);
    }
    call(CALLS);
    spin_until(shared, 1);
    mark(0);
    reach(shared, 1);
    return wait(NULL) < 0;
}

_Noreturn static void
become(const char *act)
{
    execl("/proc/self/exe", "bench_syscalls_test", "--act", act, (char *)NULL);
    _exit(99);
}

static int
act_exec(void)
{
    become("window");
}

static void *
thread_exec(void *arg)
{
    (void)arg;
    become("window");
}

static int
act_thread_execs(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, thread_exec, NULL);
    pthread_join(thread, NULL);
    return 98;
}

static volatile sig_atomic_t got;

static void
on_signal(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    got += info->si_value.sival_int;
}

static int
act_signals(void)
{
    const int numbers[] = {SIGUSR1, SIGTRAP, SIGRTMIN + 3};
    struct sigaction a = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        sigaction(numbers[i], &a, NULL);
        for (int n = 0; n < SIGNALS; n++)
            sigqueue(getpid(), numbers[i], (union sigval){.sival_int = 1});
    }
    return got;
}

/* The child stops, is seen to have stopped, goes on, is seen to have ended. */
static int
act_job_control(void)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        raise(SIGSTOP);
        reach(shared, 1);
        spin_until(shared, 2);
        _exit(7);
    }
    if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status) ||
        WSTOPSIG(status) != SIGSTOP)
        return 1;
    call(CALLS); // time for it to go on, if it could
    if (__atomic_load_n(shared, __ATOMIC_ACQUIRE) != 0)
        return 4;
    kill(child, SIGCONT);
    if (waitpid(child, &status, WCONTINUED) != child || !WIFCONTINUED(status))
        return 2;
    reach(shared, 1);
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return 3;
    return WEXITSTATUS(status) + 1;
}

static int
act_status(void)
{
    return 42;
}

static int
act_killed(void)
{
    raise(SIGKILL);
    return 0;
}

static int
act_says_and_waits(void)
{
    (void)!write(STDOUT_FILENO, "!", 1);
    pause();
    return 0;
}

static int
act_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    while (dir && readdir(dir))
        n++;
    return n;
}

static const struct act {
    const char *name;
    int (*run)(void);
} acts[] = {
    {"window", act_window},
    {"windows", act_windows},
    {"no_window", act_no_window},
    {"threads", act_threads},
    {"fork", act_fork},
    {"exec", act_exec},
    {"thread_execs", act_thread_execs},
    {"signals", act_signals},
    {"job_control", act_job_control},
    {"status", act_status},
    {"killed", act_killed},
    {"says_and_waits", act_says_and_waits},
    {"descriptors", act_descriptors},
};

/* Ends without the exit handlers: a sanitizer's would look for leaks, and that
 * is done by ptrace. */
_Noreturn static void
act_run(const char *name)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (strcmp(acts[i].name, name) == 0)
            _exit(acts[i].run());
    _exit(97);
}

/* --- how it is traced --- */

struct traced {
    int status;
    uint64_t syscalls, others;
    int counted;
    char words[WORDS];
};

/* In a child whose stdout and stderr are `out`. */
static pid_t
start(char *const argv[], int out, void (*before)(void))
{
    pid_t pid;

    if (RUNNING_ON_VALGRIND)
        SKIP("valgrind does not know what ptrace() writes");
    pid = fork();
    if (pid > 0)
        return pid;
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    if (before)
        before();
    dup2(out, TOLD);
    fcntl(TOLD, F_SETFD, FD_CLOEXEC);
    _exit(bench_syscalls_trace(TOLD, argv));
}

static void
read_words(struct traced *t, int fd)
{
    size_t used = 0;
    ssize_t n;

    while ((n = read(fd, t->words + used, WORDS - 1 - used)) > 0)
        used += (size_t)n;
    t->words[used] = '\0';
}

static void
trace(struct traced *t, char *const argv[], void (*before)(void))
{
    int pipes[2];
    const char *line;
    pid_t pid;

    memset(t, 0, sizeof *t);
    CHECK_EQ(pipe2(pipes, O_CLOEXEC), 0);
    pid = start(argv, pipes[1], before);
    close(pipes[1]);
    read_words(t, pipes[0]);
    close(pipes[0]);
    CHECK_EQ(waitpid(pid, &t->status, 0), pid);
    line = strstr(t->words, "{\"syscalls\":");
    t->counted =
        line && sscanf(line, "{\"syscalls\":%" SCNu64 ",\"others\":%" SCNu64,
                       &t->syscalls, &t->others) == 2;
}

static void
trace_act(struct traced *t, const char *act)
{
    char *argv[] = {(char *)"/proc/self/exe", (char *)"--act", (char *)act,
                    NULL};

    trace(t, argv, NULL);
    if (strstr(t->words, "uncounted"))
        SKIP("%s", t->words);
}

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1 // as gcc has it
#endif
#endif

/* It has a thread of its own that makes calls, and puts signals off. */
static void
skip_under_tsan(void)
{
#ifdef __SANITIZE_THREAD__
    SKIP("the calls and signals are not the program's alone");
#endif
}

static void
check_counts(const char *act, uint64_t syscalls, uint64_t others)
{
    struct traced t;

    skip_under_tsan();
    trace_act(&t, act);
    CHECK_EQ(t.status, 0);
    CHECK(t.counted);
    CHECK_EQ(t.syscalls, syscalls);
    CHECK_EQ(t.others, others);
}

/* --- tests --- */

static void
calls_in_the_window_are_counted_and_no_others(void)
{
    check_counts("window", CALLS, 0);
}

static void
the_last_window_that_was_closed_counts(void)
{
    check_counts("windows", CALLS, 0);
}

static void
all_threads_of_the_process_count(void)
{
    check_counts("threads", (THREADS + 1) * CALLS, 0);
}

static void
other_processes_are_counted_apart(void)
{
    check_counts("fork", CALLS + 1, 2 * CALLS);
}

static void
a_program_that_becomes_another_is_followed(void)
{
    check_counts("exec", CALLS, 0);
}

static void
a_thread_that_becomes_another_program_is_followed(void)
{
    check_counts("thread_execs", CALLS, 0);
}

static void
without_a_window_all_calls_count(void)
{
    struct traced with, without;

    trace_act(&with, "no_window");
    trace_act(&without, "status");
    CHECK(with.counted && without.counted);
    CHECK(without.syscalls > 0);
    CHECK(with.syscalls >= without.syscalls + CALLS / 2);
    CHECK_EQ(with.others, 0);
}

static void
signals_arrive_as_they_were_sent(void)
{
    struct traced t;

    skip_under_tsan();
    trace_act(&t, "signals");
    CHECK(WIFEXITED(t.status));
    CHECK_EQ(WEXITSTATUS(t.status), 3 * SIGNALS);
}

static void
a_stopped_process_stays_stopped_until_it_is_continued(void)
{
    struct traced t;

    trace_act(&t, "job_control");
    CHECK(WIFEXITED(t.status));
    CHECK_EQ(WEXITSTATUS(t.status), 7 + 1);
    CHECK(t.counted);
}

static void
it_ends_with_the_status_of_the_program(void)
{
    struct traced t;

    trace_act(&t, "status");
    CHECK(WIFEXITED(t.status));
    CHECK_EQ(WEXITSTATUS(t.status), 42);
    CHECK(t.counted);
}

static void
it_dies_of_the_signal_of_the_program(void)
{
    struct traced t;

    trace_act(&t, "killed");
    CHECK(WIFSIGNALED(t.status));
    CHECK_EQ(WTERMSIG(t.status), SIGKILL);
    CHECK(t.counted);
}

static void
a_program_that_cannot_run_is_said(void)
{
    char *argv[] = {(char *)"/no/such/program", NULL};
    struct traced t;

    trace(&t, argv, NULL);
    if (strstr(t.words, "uncounted"))
        SKIP("%s", t.words);
    CHECK(WIFEXITED(t.status));
    CHECK_EQ(WEXITSTATUS(t.status), 127);
    CHECK_HAS(t.words, "/no/such/program: No such file or directory");
    CHECK(!t.counted);
}

static void
who_kills_the_tracer_kills_the_program(void)
{
    char *argv[] = {(char *)"/proc/self/exe", (char *)"--act",
                    (char *)"says_and_waits", NULL};
    int pipes[2], status;
    struct traced rest;
    char said = 0;
    pid_t pid;

    CHECK_EQ(pipe2(pipes, O_CLOEXEC), 0);
    pid = start(argv, pipes[1], NULL);
    close(pipes[1]);
    CHECK_EQ(read(pipes[0], &said, 1), 1);
    CHECK_EQ(kill(pid, SIGKILL), 0);
    read_words(&rest, pipes[0]); // to the end: nobody has the pipe any more
    close(pipes[0]);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    if (said != '!')
        SKIP("%s", rest.words);
    CHECK_EQ(strlen(rest.words), 0);
}

/* As many sandboxes have it. */
static void
forbid_ptrace(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = 4, .filter = filter};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        _exit(96);
}

static void
where_ptrace_is_forbidden_it_says_so(void)
{
    char *argv[] = {(char *)"/proc/self/exe", (char *)"--act", (char *)"window",
                    NULL};
    struct traced t;

    trace(&t, argv, forbid_ptrace);
    if (WIFEXITED(t.status) && WEXITSTATUS(t.status) == 96)
        SKIP("no seccomp here");
    CHECK_HAS(t.words, "{\"uncounted\":\"ptrace: Operation not permitted\"}\n");
    CHECK(!t.counted);
    CHECK_EQ(WEXITSTATUS(t.status), 127);
}

static void
the_tracer_is_there_where_ptrace_is_allowed(void)
{
    bench_tracer_f *tracer = bench_syscalls_tracer();
    pid_t pid;
    int status;

    CHECK_EQ(tracer == NULL, *bench_syscalls_why_not() != '\0');
    pid = fork();
    if (pid == 0) {
        forbid_ptrace();
        CHECK(bench_syscalls_tracer() == NULL);
        CHECK_HAS(bench_syscalls_why_not(), "ptrace: Operation not permitted");
        _exit(0);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 96)
        SKIP("no seccomp here");
    CHECK_EQ(status, 0);
}

static void
the_program_gets_no_descriptors_of_ours(void)
{
    char *argv[] = {(char *)"/proc/self/exe", (char *)"--act",
                    (char *)"descriptors", NULL};
    struct traced t;
    int status;
    pid_t plain = fork();

    if (plain == 0) {
        execv(argv[0], argv);
        _exit(99);
    }
    CHECK_EQ(waitpid(plain, &status, 0), plain);
    trace_act(&t, "descriptors");
    CHECK_EQ(t.status, status);
}

static const struct unit_test tests[] = {
    {"calls_in_the_window_are_counted_and_no_others",
     calls_in_the_window_are_counted_and_no_others},
    {"the_last_window_that_was_closed_counts",
     the_last_window_that_was_closed_counts},
    {"all_threads_of_the_process_count", all_threads_of_the_process_count},
    {"other_processes_are_counted_apart", other_processes_are_counted_apart},
    {"a_program_that_becomes_another_is_followed",
     a_program_that_becomes_another_is_followed},
    {"a_thread_that_becomes_another_program_is_followed",
     a_thread_that_becomes_another_program_is_followed},
    {"without_a_window_all_calls_count", without_a_window_all_calls_count},
    {"signals_arrive_as_they_were_sent", signals_arrive_as_they_were_sent},
    {"a_stopped_process_stays_stopped_until_it_is_continued",
     a_stopped_process_stays_stopped_until_it_is_continued},
    {"it_ends_with_the_status_of_the_program",
     it_ends_with_the_status_of_the_program},
    {"it_dies_of_the_signal_of_the_program",
     it_dies_of_the_signal_of_the_program},
    {"a_program_that_cannot_run_is_said", a_program_that_cannot_run_is_said},
    {"who_kills_the_tracer_kills_the_program",
     who_kills_the_tracer_kills_the_program},
    {"where_ptrace_is_forbidden_it_says_so",
     where_ptrace_is_forbidden_it_says_so},
    {"the_tracer_is_there_where_ptrace_is_allowed",
     the_tracer_is_there_where_ptrace_is_allowed},
    {"the_program_gets_no_descriptors_of_ours",
     the_program_gets_no_descriptors_of_ours},
    {0},
};

int
main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--act") == 0)
        act_run(argv[2]);
    return unit_main("bench_syscalls", tests, argc, argv);
}
