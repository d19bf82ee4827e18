/* SPDX-License-Identifier: MIT */
#ifndef BENCH_MEMORY_H
#define BENCH_MEMORY_H

/*
 * bench/memory.h - what many of something occupy.
 */

#include <malloc.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

/* Bytes of this process that are resident, without what was freed. */
static inline double
memory_resident(void)
{
    unsigned long size = 0, pages = 0;
    FILE *f;

    (void)malloc_trim(0);
    f = fopen("/proc/self/statm", "re");
    bench_must(f != NULL && fscanf(f, "%lu %lu", &size, &pages) == 2, "statm");
    fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* Metric "memory": what `grow` adds to a process, over `count`. In a child, for
 * which no memory is left over from before, and which frees nothing. */
static inline void
memory_measure(struct bench_run *r, void (*grow)(void), unsigned count)
{
    double before, each = 0;
    int fds[2], status;
    pid_t pid;

    bench_must(pipe(fds) == 0, "a pipe");
    pid = fork();
    bench_must(pid >= 0, "a child");
    if (pid == 0) {
        before = memory_resident();
        grow();
        each = (memory_resident() - before) / count;
        _exit(write(fds[1], &each, sizeof each) != sizeof each);
    }
    close(fds[1]);
    bench_must(read(fds[0], &each, sizeof each) == sizeof each &&
                   waitpid(pid, &status, 0) == pid && status == 0,
               "the child's figure");
    close(fds[0]);
    bench_value(r, "memory", "B", each);
}

#endif /* BENCH_MEMORY_H */
