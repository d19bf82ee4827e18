/* SPDX-License-Identifier: MIT */
/*
 * bench/limits/fanin.c - the floor under many descriptors of which few are
 * active: epoll, edge-triggered, and a loop.
 */

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench.h"
#include "descriptors.h"

enum { PIPES = 500, ACTIVE = 5, PASSES = 100000 };

static int pipes[PIPES][2];

static int
pipes_open(void)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    bench_must(epoll >= 0, "epoll");
    for (unsigned i = 0; i < PIPES; i++) {
        struct epoll_event e = {.events = EPOLLIN | EPOLLET, .data.u32 = i};

        bench_must(pipe2(pipes[i], O_CLOEXEC | O_NONBLOCK) == 0 &&
                       epoll_ctl(epoll, EPOLL_CTL_ADD, pipes[i][0], &e) == 0,
                   "a pipe");
    }
    return epoll;
}

static void
pipes_close(int epoll)
{
    for (unsigned i = 0; i < PIPES; i++) {
        close(pipes[i][0]);
        close(pipes[i][1]);
    }
    close(epoll);
}

/* The byte of pipe `i` into the next. */
static void
pass(unsigned i)
{
    char byte;

    bench_must(read(pipes[i][0], &byte, 1) == 1 &&
                   write(pipes[(i + 1) % PIPES][1], &byte, 1) == 1,
               "a pass");
}

static void
five_active(struct bench_run *r)
{
    struct epoll_event ready[ACTIVE];
    uint64_t passes = bench_ops(r, PASSES), done = 0;
    int epoll, n;

    if (!descriptors_want(r, 2 * PIPES))
        return;
    epoll = pipes_open();
    bench_start(r);
    for (unsigned i = 0; i < ACTIVE; i++)
        bench_must(write(pipes[i * (PIPES / ACTIVE)][1], "", 1) == 1, "write");
    while (done < passes) {
        n = epoll_wait(epoll, ready, ACTIVE, -1);
        bench_must(n > 0, "epoll_wait");
        for (int i = 0; i < n; i++)
            pass(ready[i].data.u32);
        done += (unsigned)n;
    }
    bench_stop(r, done);
    pipes_close(epoll);
}

static const struct bench_case cases[] = {
    {.name = "500 pipes, 5 active", .run = five_active},
    {0},
};

static const struct bench_workload fanin_workload = {
    .name = "fanin",
    .subject = "raw epoll",
    .measures = "one event among many descriptors that are waited on",
    .how = "500 pipes in an epoll, edge-triggered; 5 bytes go round, each is "
           "read and written into the next pipe",
    .silent = "tasks that wait",
    .cases = cases,
};

int
main(int argc, char **argv)
{
    return bench_main(
        (const struct bench_workload *const[]){&fanin_workload, NULL}, argc,
        argv);
}
