/* SPDX-License-Identifier: MIT */
#ifndef CLI_BENCH_CHILD_H
#define CLI_BENCH_CHILD_H

/*
 * cli/bench_child.h - a program that is run to its end: in a process group of
 * its own, pinned, with a time limit, its words caught. What it started is gone
 * when it is; what left its group, too, where /proc says what our children are.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

/*
 * Called in the child, in place of execvp(argv[0], argv), when the environment,
 * the affinity and the descriptors are as the program is to have them. Runs the
 * program, counts its system calls (those of the last window of prctl
 * BENCH_MARK; of a program that never marks one, all), and then writes one line
 * to standard output, after the program's own:
 *
 *     {"syscalls":123456}
 *
 * Returns the exit status to end with, the program's own. What it starts is to
 * stay in the process group, which is killed when the time is up.
 */
typedef int bench_tracer_f(char *const *argv);

struct bench_setting {
    const char *name, *value; // NULL: not in the environment
};

struct bench_child {
    char *const *argv; // argv[0] is a path, or a name to find in PATH
    const struct bench_setting *settings; // until one without a name
    bench_tracer_f *tracer;               // NULL: plainly run
    uint64_t limit_ns;
    int cpu;       // -1: all
    int interrupt; // a descriptor; -1: none
};

enum { CHILD_WORDS = 64 * 1024 }; // that are kept of what a program writes

struct bench_ended {
    int status;        // as of waitpid()
    uint64_t wall_ns;  // from before the fork to after the end
    struct rusage use; // of it and of all that it waited for
    char out[CHILD_WORDS], err[CHILD_WORDS]; // the first so many bytes
};

/*
 * 0: it ended, in whatever way. -ETIME: it was killed; -EINTR: likewise, for
 * `interrupt` became readable; -errno: there was no process. `out` and `err`
 * are texts in every case.
 */
int bench_child_run(const struct bench_child *c, struct bench_ended *ended);

/* Why a child that did not exit with 0 did not, in few words: the signal, or
 * the status, and the last line it wrote to stderr. */
void bench_child_why(const struct bench_ended *ended, char *text, size_t size);

#endif /* CLI_BENCH_CHILD_H */
