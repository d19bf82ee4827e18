/* SPDX-License-Identifier: MIT */
/*
 * cli/bench_syscalls.c - counts the system calls of a program, by ptrace.
 *
 * The tracer is a process of its own and does nothing else: its waits take
 * nobody else's children, and killing it ends all that it traces.
 *
 *     pons --fork--> the tracer --fork--> the program --> threads, processes
 *
 * The kernel tells at each stop whether a call begins or ends, so nothing is
 * kept per thread but the process it belongs to.
 */

#include "bench_syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"

enum {
    PIDS_MAX = 1 << 22,   // PID_MAX_LIMIT of a 64-bit kernel
    STATUS_NOT_RUN = 127, // as shells have it
    FOLLOW = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
             PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL,
};

/* What a stop of a thread is, and hence how it goes on. */
enum stop {
    STOP_CALL,   // a system call begins or ends
    STOP_EXEC,   // a new program
    STOP_BORN,   // the first stop of a thread, or the last of a stopped one
    STOP_EVENT,  // a thread or process has been made
    STOP_GROUP,  // SIGSTOP and its like have stopped the process
    STOP_SIGNAL, // a signal is about to be delivered
};

struct tracer {
    pid_t program;
    pid_t *process_of; // by thread; 0: not yet asked
    int running;       // the program's exec is behind us
    int error;         // errno: why there are no counts

    uint64_t all;
    uint64_t marking, others; // in the last window
    int windows;              // how many have ended

    pid_t marker; // the process that opened the window; 0: none is open
    uint64_t open_marking, open_others;
};

/* --- what a thread belongs to --- */

static pid_t
process_read(pid_t thread)
{
    char path[32], line[128];
    pid_t process = 0;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/status", (int)thread);
    f = fopen(path, "re");
    while (f && !process && fgets(line, sizeof line, f))
        (void)sscanf(line, "Tgid: %d", &process);
    if (f)
        fclose(f);
    return process ? process : thread;
}

static pid_t
process_of(struct tracer *t, pid_t thread)
{
    pid_t *process = &t->process_of[thread % PIDS_MAX];

    if (*process == 0)
        *process = process_read(thread);
    return *process;
}

/* The kernel may give the same number to another one. */
static void
process_forget(struct tracer *t, pid_t thread)
{
    t->process_of[thread % PIDS_MAX] = 0;
}

/* --- counting --- */

static void
window_open(struct tracer *t, pid_t thread)
{
    t->marker = process_of(t, thread);
    t->open_marking = 0;
    t->open_others = 0;
}

static void
window_close(struct tracer *t)
{
    if (!t->marker)
        return;
    t->windows++;
    t->marking = t->open_marking;
    t->others = t->open_others;
    t->marker = 0;
}

static void
count_call(struct tracer *t, pid_t thread,
           const struct __ptrace_syscall_info *call)
{
    t->all++;
    if (call->entry.nr == SYS_prctl && call->entry.args[0] == BENCH_MARK) {
        if (call->entry.args[1])
            window_open(t, thread);
        else
            window_close(t);
    } else if (t->marker) {
        if (process_of(t, thread) == t->marker)
            t->open_marking++;
        else
            t->open_others++;
    }
}

static void
look_at_call(struct tracer *t, pid_t thread)
{
    struct __ptrace_syscall_info call;
    long size;

    if (!t->running)
        return;
    size = ptrace(PTRACE_GET_SYSCALL_INFO, thread, (void *)sizeof call, &call);
    /* ESRCH: it was killed meanwhile, and its end comes next. */
    if (size < 0 && errno != ESRCH)
        t->error = errno;
    if (size >= (long)offsetof(struct __ptrace_syscall_info, exit) &&
        call.op == PTRACE_SYSCALL_INFO_ENTRY)
        count_call(t, thread, &call);
}

/* --- stops --- */

static enum stop
stop_of(int status)
{
    int event = (unsigned)status >> 16;

    if (WSTOPSIG(status) == (SIGTRAP | 0x80))
        return STOP_CALL;
    switch (event) {
    case 0:
        return STOP_SIGNAL;
    case PTRACE_EVENT_EXEC:
        return STOP_EXEC;
    case PTRACE_EVENT_STOP:
        return WSTOPSIG(status) == SIGTRAP ? STOP_BORN : STOP_GROUP;
    default:
        return STOP_EVENT;
    }
}

/* A thread that is gone already (ESRCH) needs no going on. */
static void
go_on(struct tracer *t, pid_t thread, int status)
{
    unsigned long was;
    int deliver = 0;

    switch (stop_of(status)) {
    case STOP_CALL:
        look_at_call(t, thread);
        break;
    case STOP_EXEC:
        /* A thread that execs takes its process's number. */
        if (ptrace(PTRACE_GETEVENTMSG, thread, NULL, &was) == 0)
            process_forget(t, (pid_t)was);
        t->running = 1;
        break;
    case STOP_BORN:
        process_forget(t, thread);
        break;
    case STOP_EVENT:
        break;
    case STOP_GROUP:
        /* It stays stopped until SIGCONT, as it would without us. */
        (void)ptrace(PTRACE_LISTEN, thread, NULL, NULL);
        return;
    case STOP_SIGNAL:
        deliver = WSTOPSIG(status);
        break;
    }
    (void)ptrace(PTRACE_SYSCALL, thread, NULL, (void *)(intptr_t)deliver);
}

/* Until the program itself has ended; its wait status. */
static int
trace(struct tracer *t)
{
    for (;;) {
        int status;
        pid_t thread = waitpid(-1, &status, __WALL);

        if (thread < 0)
            return STATUS_NOT_RUN << 8;
        if (WIFSTOPPED(status))
            go_on(t, thread, status);
        else if (thread == t->program)
            return status;
        else
            process_forget(t, thread);
    }
}

/* --- the processes --- */

/* Waits until it is traced (a byte) or shall not run (the end). */
_Noreturn static void
be_the_program(const int gate[2], char *const *argv)
{
    char byte;

    close(gate[1]);
    if (read(gate[0], &byte, 1) != 1)
        _exit(STATUS_NOT_RUN);
    execvp(argv[0], argv);
    dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
    _exit(STATUS_NOT_RUN);
}

/* As the program ended. */
static int
end_as(int status)
{
    const struct rlimit no_core = {0, 0};
    sigset_t all;

    if (!WIFSIGNALED(status))
        return WEXITSTATUS(status);
    (void)setrlimit(RLIMIT_CORE, &no_core);
    signal(WTERMSIG(status), SIG_DFL);
    sigfillset(&all);
    sigprocmask(SIG_UNBLOCK, &all, NULL);
    raise(WTERMSIG(status));
    return 128 + WTERMSIG(status);
}

static int
tell_why_not(int out, int error)
{
    dprintf(out, "{\"uncounted\":\"ptrace: %s\"}\n", strerror(error));
    return STATUS_NOT_RUN;
}

static void
tell(const struct tracer *t, int out)
{
    if (t->error)
        tell_why_not(out, t->error);
    else if (t->running)
        dprintf(out, "{\"syscalls\":%" PRIu64 ",\"others\":%" PRIu64 "}\n",
                t->windows ? t->marking : t->all, t->windows ? t->others : 0);
}

int
bench_syscalls_trace(int out, char *const *argv)
{
    struct tracer t = {0};
    int gate[2], status;

    /* Only the pages of numbers that occur are ever there. */
    t.process_of = mmap(NULL, PIDS_MAX * sizeof(pid_t), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (t.process_of == MAP_FAILED || pipe2(gate, O_CLOEXEC) < 0)
        return tell_why_not(out, errno);
    t.program = fork();
    if (t.program < 0)
        return tell_why_not(out, errno);
    if (t.program == 0)
        be_the_program(gate, argv);
    /* ctrl-C reaches both; what it does is the program's business. */
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    if (ptrace(PTRACE_SEIZE, t.program, NULL, (void *)(intptr_t)FOLLOW) < 0)
        return tell_why_not(out, errno);
    if (write(gate[1], "", 1) != 1)
        return tell_why_not(out, errno);
    status = trace(&t);
    tell(&t, out);
    return end_as(status);
}

static int
trace_to_stdout(char *const *argv)
{
    int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);

    return bench_syscalls_trace(out, argv);
}

/* By trying it on a child that does nothing: 0, or errno. Its threads are not
 * followed: a sanitizer starts one in each process, and until all that are
 * traced have been waited for, their process has not ended. */
static int
try_ptrace(void)
{
    int error = 0;
    pid_t child = fork();

    if (child == 0)
        for (;;)
            pause();
    if (child < 0)
        return errno;
    if (ptrace(PTRACE_SEIZE, child, NULL, (void *)PTRACE_O_EXITKILL) < 0)
        error = errno;
    kill(child, SIGKILL);
    while (waitpid(child, NULL, __WALL) < 0 && errno == EINTR)
        ;
    return error;
}

const char *
bench_syscalls_why_not(void)
{
    static char why[128];
    int error = try_ptrace();

    why[0] = '\0';
    if (error)
        snprintf(why, sizeof why, "ptrace: %s", strerror(error));
    return why;
}

bench_tracer_f *
bench_syscalls_tracer(void)
{
    return *bench_syscalls_why_not() ? NULL : trace_to_stdout;
}
