/* SPDX-License-Identifier: MIT */
/*
 * bench/block_on.c - crossing from synchronous code, on an ordinary thread: a
 * function that returns at once, a recv that has data, a task that is spawned
 * and joined.
 */

#include <time.h>

#include "bench.h"
#include "counts.h"
#include "runtime.h"
#include "tcp_pair.h"

/* --- block_on_ready --- */

static int64_t
at_once(void *arg)
{
    (void)arg;
    return 1;
}

static void
ready_call(struct bench_run *r)
{
    struct pons_runtime *rt = bench_runtime();
    uint64_t ops = bench_ops(r, CALLS_READY);

    bench_start(r);
    for (uint64_t i = 0; i < ops; i++)
        bench_must(pons_block_on(rt, at_once, NULL, NULL) == 0, "block_on");
    bench_stop(r, ops);
    pons_runtime_unref(rt);
}

/* --- block_on_recv --- */

static int64_t
one_recv(void *stream)
{
    char byte;

    return pons_recv(stream, &byte, 1);
}

static void
recv_one(struct bench_run *r)
{
    struct pons_runtime *rt = bench_runtime();
    uint64_t ops = bench_ops(r, CALLS_RECV);
    struct pons_stream *s;
    int fds[2];
    int64_t n;

    tcp_pair(fds);
    bench_must(pons_stream_adopt(&s, fds[0]) == 0, "adopt");
    tcp_pair_fill(fds[1], (int)ops);
    bench_start(r);
    for (uint64_t i = 0; i < ops; i++)
        bench_must(pons_block_on(rt, one_recv, s, &n) == 0 && n == 1, "recv");
    bench_stop(r, ops);
    pons_stream_close(s);
    close(fds[1]);
    pons_runtime_unref(rt);
}

/* --- block_on_spawn --- */

static enum pons_poll
ready_poll(struct pons_future *f, struct pons_waker *w)
{
    (void)w;
    f->result = 7;
    return PONS_READY;
}

static const struct pons_future_ops ready_ops = {
    .size = sizeof ready_ops, .name = "ready", .poll = ready_poll};

static int64_t
spawn_and_join(void *arg)
{
    struct pons_future f;
    struct pons_task *t;
    int64_t answer = 0;

    (void)arg;
    pons_future_init(&f, &ready_ops);
    bench_must(pons_spawn_future(NULL, &f, &t) == 0 &&
                   pons_join(t, &answer) == 0,
               "spawn");
    return answer;
}

static void
spawn_back_to_back(struct bench_run *r)
{
    struct pons_runtime *rt = bench_runtime();
    uint64_t ops = bench_ops(r, CALLS_SPAWN);

    bench_start(r);
    for (uint64_t i = 0; i < ops; i++)
        bench_must(pons_block_on(rt, spawn_and_join, NULL, NULL) == 0, "spawn");
    bench_stop(r, ops);
    pons_runtime_unref(rt);
}

/* Wall is the median here: a pause lets other things happen. */
static void
spawn_after_pause(struct bench_run *r)
{
    struct pons_runtime *rt = bench_runtime();
    struct histogram *h = histogram_new();

    bench_must(h != NULL, "memory");
    for (int i = bench_is_quick(r) ? CALLS_PAUSED_QUICK : CALLS_PAUSED; i > 0;
         i--) {
        struct timespec pause = {0, PAUSE_NS};
        uint64_t began;

        nanosleep(&pause, NULL);
        began = bench_now();
        bench_must(pons_block_on(rt, spawn_and_join, NULL, NULL) == 0, "spawn");
        histogram_record(h, bench_now() - began);
    }
    bench_value(r, "wall", "ns", (double)histogram_quantile(h, 0.5));
    bench_latencies(r, h);
    histogram_free(h);
    pons_runtime_unref(rt);
}

/* --- the program --- */

static const struct bench_case ready_cases[] = {
    {.name = "call", .run = ready_call, .brief = 1},
    {0},
};
static const struct bench_case recv_cases[] = {
    {.name = "recv", .run = recv_one, .brief = 1},
    {0},
};
static const struct bench_case spawn_cases[] = {
    {.name = "back to back", .run = spawn_back_to_back},
    {.name = "after 1 ms", .run = spawn_after_pause},
    {0},
};

static const struct bench_workload ready_workload = {
    .name = "block_on_ready",
    .subject = "pons",
    .measures = "entering and leaving the runtime from an ordinary thread",
    .how = "block_on of a function that returns at once",
    .silent = "what waiting costs",
    .axes = BENCH_WORKERS,
    .cases = ready_cases,
};

static const struct bench_workload recv_workload = {
    .name = "block_on_recv",
    .subject = "pons",
    .measures = "an I/O call from an ordinary thread that need not wait",
    .how = "block_on of one recv of one byte, over loopback TCP, which has "
           "arrived already",
    .silent = "what waiting for the byte costs",
    .axes = BENCH_REACTOR | BENCH_WORKERS,
    .cases = recv_cases,
};

static const struct bench_workload spawn_workload = {
    .name = "block_on_spawn",
    .subject = "pons",
    .measures = "handing work to a worker from an ordinary thread, and back",
    .how = "block_on of the spawn and join of an empty stackless task, one "
           "after the other; or after pauses of 1 ms, when all have gone to "
           "sleep, and then wall is the median",
    .silent = "what many threads at once do to each other",
    .axes = BENCH_REACTOR | BENCH_WORKERS,
    .cases = spawn_cases,
    .spread = 1,
};

int
main(int argc, char **argv)
{
    return bench_main(
        (const struct bench_workload *const[]){&ready_workload, &recv_workload,
                                               &spawn_workload, NULL},
        argc, argv);
}
