/* SPDX-License-Identifier: MIT */
/*
 * bench/limits/fanin.c - the floor under many descriptors of which few are
 * active: epoll, edge-triggered, and a loop.
 */

#include <sys/epoll.h>

#include "pipes.h"

static int
pipes_watch(void)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    bench_must(epoll >= 0, "epoll");
    for (unsigned i = 0; i < PIPES; i++) {
        struct epoll_event e = {.events = EPOLLIN | EPOLLET, .data.u32 = i};

        bench_must(epoll_ctl(epoll, EPOLL_CTL_ADD, pipes[i][0], &e) == 0,
                   "epoll_ctl");
    }
    return epoll;
}

static void
five_active(struct bench_run *r)
{
    struct epoll_event ready[PIPES_ACTIVE];
    uint64_t passes = bench_ops(r, PASSES), done = 0;
    int epoll, n;

    if (!pipes_open(r))
        return;
    epoll = pipes_watch();
    bench_start(r);
    pipes_serve();
    while (done < passes) {
        n = epoll_wait(epoll, ready, PIPES_ACTIVE, -1);
        bench_must(n > 0, "epoll_wait");
        for (int i = 0; i < n; i++)
            pipes_pass(ready[i].data.u32);
        done += (unsigned)n;
    }
    bench_stop(r, done);
    close(epoll);
    pipes_close();
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
