/* SPDX-License-Identifier: MIT */
#ifndef BENCH_PIPES_H
#define BENCH_PIPES_H

/*
 * bench/pipes.h - the pipes of fanin, and bytes that go round in them; for
 * those that read and write by themselves.
 */

#include <fcntl.h>
#include <unistd.h>

#include "bench.h"
#include "counts.h"
#include "descriptors.h"

static int pipes[PIPES][2];

/* 0: not that many files may be open, and the case was skipped. */
static inline int
pipes_open(struct bench_run *r)
{
    if (!descriptors_want(r, 2 * PIPES))
        return 0;
    for (unsigned i = 0; i < PIPES; i++)
        bench_must(pipe2(pipes[i], O_CLOEXEC | O_NONBLOCK) == 0, "a pipe");
    return 1;
}

static inline void
pipes_close(void)
{
    for (unsigned i = 0; i < PIPES; i++) {
        close(pipes[i][0]);
        close(pipes[i][1]);
    }
}

/* The first bytes, evenly spread. */
static inline void
pipes_serve(void)
{
    for (unsigned i = 0; i < PIPES_ACTIVE; i++)
        bench_must(write(pipes[i * (PIPES / PIPES_ACTIVE)][1], "", 1) == 1,
                   "write");
}

/* The byte of pipe `i` into the next. */
static inline void
pipes_pass(unsigned i)
{
    char byte;

    bench_must(read(pipes[i][0], &byte, 1) == 1 &&
                   write(pipes[(i + 1) % PIPES][1], &byte, 1) == 1,
               "a pass");
}

#endif /* BENCH_PIPES_H */
