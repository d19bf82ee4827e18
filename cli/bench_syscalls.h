/* SPDX-License-Identifier: MIT */
#ifndef CLI_BENCH_SYSCALLS_H
#define CLI_BENCH_SYSCALLS_H

/*
 * cli/bench_syscalls.h - how many system calls a program makes, with all its
 * threads and all that it starts.
 *
 * A tracer as in cli/bench_child.h: run it in the child, in place of the
 * program. When that has ended it writes one line:
 *
 *     {"syscalls":123456,"others":0}    of the process that marked the window,
 *                                       and of other processes during it
 *     {"uncounted":"ptrace: Operation not permitted"}    or why it cannot say
 *
 * Without a window all calls of all processes are "syscalls", from the exec on.
 *
 * It ends as the program ends: returns its status, or dies by its signal; 127
 * when the program cannot be run, which is said on stderr. Who kills it ends
 * the program, and what that leaves running ends with it.
 *
 * Each call stops its thread twice, which takes microseconds: counting is a run
 * of its own, whose times mean nothing. And a program that acts by the clock
 * (spins for a while before it sleeps) may make other calls then.
 */

#include "bench_child.h"

/* The tracer; NULL where ptrace is not allowed. */
bench_tracer_f *bench_syscalls_tracer(void);

/* Why it is not: a text that stays; "" if it is. */
const char *bench_syscalls_why_not(void);

/* The tracer itself; its line goes to `out`, which the program does not get. */
int bench_syscalls_trace(int out, char *const *argv);

#endif /* CLI_BENCH_SYSCALLS_H */
