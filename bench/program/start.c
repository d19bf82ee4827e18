/* SPDX-License-Identifier: MIT */
/*
 * bench/program/start.c - runs a program as its child, and says what it took.
 *
 * `pons bench --program` starts programs by this one, and not itself, because
 * the kernel counts what a process is forked from as its resident memory: a
 * small program would seem to be as large as the command.
 *
 *     start [--show] [--] PROGRAM [ARGUMENT...]
 *
 * The program's output goes to /dev/null, with --show to stderr. When it has
 * ended, one line, and the same end:
 *
 *     {"wall":1,"cpu":1,"user":1,"system":1,"switches":1,"peak rss":1}
 *
 * in ns, and bytes; of the program and all of its children that it waited for
 * ("peak rss": of the largest of them). "cpu" is user and system together: of
 * short runs the kernel may know how long, but not where.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

enum { STATUS_USAGE = 2, STATUS_NOT_RUN = 127 }; // 127: as shells have it

/* Whoever kills `start`, whatever with, is rid of the program as well. */
static void
end_with(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) // it was too late for that
        _exit(STATUS_NOT_RUN);
}

_Noreturn static void
be_the_program(char **argv, int show)
{
    int out = show ? STDERR_FILENO : open("/dev/null", O_WRONLY | O_CLOEXEC);

    dup2(out, STDOUT_FILENO);
    execvp(argv[0], argv);
    dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
    _exit(STATUS_NOT_RUN);
}

static uint64_t
timeval_ns(struct timeval t)
{
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_usec * 1000;
}

static void
tell(uint64_t wall_ns, const struct rusage *used)
{
    uint64_t user_ns = timeval_ns(used->ru_utime);
    uint64_t system_ns = timeval_ns(used->ru_stime);

    printf("{\"wall\":%llu,\"cpu\":%llu,\"user\":%llu,\"system\":%llu,"
           "\"switches\":%ld,\"peak rss\":%lld}\n",
           (unsigned long long)wall_ns,
           (unsigned long long)(user_ns + system_ns),
           (unsigned long long)user_ns, (unsigned long long)system_ns,
           used->ru_nvcsw + used->ru_nivcsw, used->ru_maxrss * 1024LL);
    fflush(stdout);
}

static int
end_as(int status)
{
    const struct rlimit no_core = {0, 0};

    if (!WIFSIGNALED(status))
        return WEXITSTATUS(status);
    setrlimit(RLIMIT_CORE, &no_core);
    raise(WTERMSIG(status));
    return 128 + WTERMSIG(status);
}

int
main(int argc, char **argv)
{
    int show = argc > 1 && strcmp(argv[1], "--show") == 0;
    int first = 1 + show;
    pid_t own = getpid();
    struct rusage used;
    uint64_t began;
    int status;
    pid_t pid;

    first += argc > first && strcmp(argv[first], "--") == 0;
    if (argc <= first) {
        fprintf(stderr, "usage: %s [--show] [--] PROGRAM [ARGUMENT...]\n",
                argv[0]);
        return STATUS_USAGE;
    }
    began = bench_now();
    pid = fork();
    if (pid == 0) {
        end_with(own);
        be_the_program(argv + first, show);
    }
    bench_must(pid > 0, "fork");
    while (wait4(pid, &status, 0, &used) < 0)
        bench_must(errno == EINTR, "wait4");
    tell(bench_now() - began, &used);
    return end_as(status);
}
