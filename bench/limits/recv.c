/* SPDX-License-Identifier: MIT */
/*
 * bench/limits/recv.c - the floor under block_on of a recv: the system call.
 *
 * A second thread sleeps meanwhile: where threads share the table of
 * descriptors the kernel counts each use of one, so a process of one thread is
 * faster than any that has workers.
 */

#include <pthread.h>

#include "bench.h"
#include "counts.h"
#include "tcp_pair.h"

static void *
sleep_until_closed(void *fd)
{
    char byte;

    bench_must(read(*(int *)fd, &byte, 1) == 0, "the end of the pipe");
    return NULL;
}

static void
plain(struct bench_run *r)
{
    uint64_t ops = bench_ops(r, CALLS_RECV);
    int fds[2], wake[2];
    pthread_t other;
    char byte;

    bench_must(pipe(wake) == 0 &&
                   pthread_create(&other, NULL, sleep_until_closed, &wake[0]) ==
                       0,
               "a second thread");
    tcp_pair(fds);
    tcp_pair_fill(fds[1], (int)ops);
    bench_start(r);
    for (uint64_t i = 0; i < ops; i++)
        bench_must(recv(fds[0], &byte, 1, 0) == 1, "recv");
    bench_stop(r, ops);
    close(wake[1]);
    pthread_join(other, NULL);
    close(wake[0]);
    close(fds[0]);
    close(fds[1]);
}

static const struct bench_case cases[] = {
    {.name = "recv", .run = plain},
    {0},
};

static const struct bench_workload recv_workload = {
    .name = "block_on_recv",
    .subject = "plain recv",
    .measures = "the system call",
    .how = "recv of one byte, over loopback TCP, which has arrived already, "
           "while another thread of the process sleeps",
    .silent = "what waiting for the byte costs",
    .cases = cases,
};

int
main(int argc, char **argv)
{
    return bench_main(
        (const struct bench_workload *const[]){&recv_workload, NULL}, argc,
        argv);
}
