/* SPDX-License-Identifier: MIT */
/*
 * bench/block_on.c - crossing from synchronous code, from an ordinary thread:
 *
 *   block_on_ready   a function that returns at once
 *   block_on_recv    one recv that has data, and the plain system call
 *   block_on_spawn   a join of a spawned task that is ready at once, 2 workers:
 *                    back to back (floor: the spinning hand-off), and after
 *                    pauses of 1 ms (floor: the futex hand-off)
 *
 * It does not tell what many threads at once do to each other.
 */

#include <pons/pons.h>

#include "tcp_pair.h"

enum {
    READY = 1000000,
    RECVS = 20000,
    SPAWNS = 20000,
    PAUSED = 100,
    PAUSE_NS = 1000000,
};

static int64_t
at_once(void *arg)
{
    (void)arg;
    return 1;
}

static void
measure_ready(struct pons_runtime *rt, struct bench_series *series)
{
    double began = bench_now_ns();

    for (int i = 0; i < READY; i++)
        bench_must(pons_block_on(rt, at_once, NULL, NULL) == 0, "block_on");
    bench_add(series, (bench_now_ns() - began) / READY);
}

static int64_t
one_recv(void *stream)
{
    char byte;

    return pons_recv(stream, &byte, 1);
}

static void
measure_recv(struct pons_runtime *rt, struct pons_stream *s, int far,
             struct bench_series *series)
{
    double began;
    int64_t n;

    tcp_pair_fill(far, RECVS);
    began = bench_now_ns();
    for (int i = 0; i < RECVS; i++)
        bench_must(pons_block_on(rt, one_recv, s, &n) == 0 && n == 1, "recv");
    bench_add(series, (bench_now_ns() - began) / RECVS);
}

/* The floor, in the same process: where threads share the table of descriptors
 * the kernel counts each use of one, so a process of one thread is faster. */
static void
measure_plain_recv(int near, int far, struct bench_series *series)
{
    double began;
    char byte;

    tcp_pair_fill(far, RECVS);
    began = bench_now_ns();
    for (int i = 0; i < RECVS; i++)
        bench_must(recv(near, &byte, 1, 0) == 1, "recv");
    bench_add(series, (bench_now_ns() - began) / RECVS);
}

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
measure_spawn(struct pons_runtime *rt, struct bench_series *series)
{
    double began = bench_now_ns();

    for (int i = 0; i < SPAWNS; i++)
        bench_must(pons_block_on(rt, spawn_and_join, NULL, NULL) == 0, "spawn");
    bench_add(series, (bench_now_ns() - began) / SPAWNS);
}

static int
by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* The median of one repetition: a pause lets other things happen. */
static void
measure_paused(struct pons_runtime *rt, struct bench_series *series)
{
    double each[PAUSED];

    for (int i = 0; i < PAUSED; i++) {
        struct timespec pause = {0, PAUSE_NS};
        double began;

        nanosleep(&pause, NULL);
        began = bench_now_ns();
        bench_must(pons_block_on(rt, spawn_and_join, NULL, NULL) == 0, "spawn");
        each[i] = bench_now_ns() - began;
    }
    qsort(each, PAUSED, sizeof *each, by_size);
    bench_add(series, each[PAUSED / 2]);
}

int
main(int argc, char **argv)
{
    static struct bench_series ready = {
        "block_on_ready", "pons", "wall", "ns", {0}, 0};
    static struct bench_series receive = {
        "block_on_recv", "pons", "wall", "ns", {0}, 0};
    static struct bench_series plain = {
        "block_on_recv", "plain recv", "wall", "ns", {0}, 0};
    static struct bench_series spawned = {
        "block_on_spawn", "back to back", "wall", "ns", {0}, 0};
    static struct bench_series paused = {
        "block_on_spawn", "after 1 ms", "wall", "ns", {0}, 0};
    const struct pons_settings settings = {.size = sizeof settings,
                                           .workers = "2"};
    unsigned repeat = bench_repeat(argc, argv);
    struct pons_runtime *rt;
    struct pons_stream *s;
    int fds[2];

    tcp_pair(fds);
    bench_must(pons_runtime_new(&rt, &settings) == 0, pons_last_error());
    bench_must(pons_stream_adopt(&s, fds[0]) == 0, pons_last_error());
    for (unsigned r = 0; r < repeat; r++) {
        measure_ready(rt, &ready);
        measure_plain_recv(fds[0], fds[1], &plain);
        measure_recv(rt, s, fds[1], &receive);
        measure_spawn(rt, &spawned);
        measure_paused(rt, &paused);
    }
    pons_stream_close(s);
    pons_runtime_unref(rt);
    bench_print(&ready);
    bench_print(&plain);
    bench_print(&receive);
    bench_print(&spawned);
    bench_print(&paused);
    return 0;
}
