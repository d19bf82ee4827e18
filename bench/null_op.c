/* SPDX-License-Identifier: MIT */
/*
 * bench/null_op.c - an operation in the null reactor: submitted, completed by
 * an event, its task resumed. All of it is the framework's own cost.
 */

#include "bench.h"
#include "runtime.h"
#include "tcp_pair.h"

enum { TASKS = 64, OPS = 20000 };

struct receiver {
    struct pons_future base;
    struct pons_recv recv;
    struct pons_stream *stream;
    char byte;
    uint64_t left;
};

static enum pons_poll
receiver_poll(struct pons_future *f, struct pons_waker *w)
{
    struct receiver *r = pons_container_of(f, struct receiver, base);

    PONS_BEGIN(f);
    while (r->left-- > 0) {
        pons_recv_init(&r->recv, r->stream, &r->byte, 1);
        PONS_AWAIT(f, w, &r->recv);
        bench_must(r->recv.base.result == 1, "null recv");
    }
    PONS_END(f);
}

static const struct pons_future_ops receiver_ops = {
    .size = sizeof receiver_ops, .name = "receiver", .poll = receiver_poll};

static struct receiver receivers[TASKS];

static int64_t
receive_all(void *arg)
{
    struct pons_task *tasks[TASKS];
    struct bench_run *r = arg;
    uint64_t each = bench_ops(r, OPS);

    bench_start(r);
    for (int i = 0; i < TASKS; i++) {
        receivers[i].left = each;
        pons_future_init(&receivers[i].base, &receiver_ops);
        bench_must(pons_spawn_future(NULL, &receivers[i].base, &tasks[i]) == 0,
                   "spawn");
    }
    for (int i = 0; i < TASKS; i++)
        bench_must(pons_join(tasks[i], NULL) == 0, "join");
    bench_stop(r, TASKS * each);
    return 0;
}

static void
measure(struct bench_run *r, const char *reactor)
{
    const struct pons_settings settings = {
        .size = sizeof settings,
        .workers = getenv("PONS_WORKERS") ? NULL : "1",
        .reactor = reactor};
    struct pons_runtime *rt;
    int err = pons_runtime_new(&rt, &settings);

    bench_must(err == 0, pons_last_error());
    for (int i = 0; i < TASKS; i++) {
        int fds[2];

        tcp_pair(fds);
        close(fds[1]);
        bench_must(pons_stream_adopt(&receivers[i].stream, fds[0]) == 0,
                   "adopt");
    }
    bench_inside(rt, receive_all, r);
    for (int i = 0; i < TASKS; i++)
        pons_stream_close(receivers[i].stream);
    pons_runtime_unref(rt);
}

static void
event(struct bench_run *r)
{
    measure(r, "null");
}

static void
at_once(struct bench_run *r)
{
    measure(r, "null:inline=yes");
}

static const struct bench_case cases[] = {
    {.name = "event", .run = event, .brief = 1},
    {.name = "inline", .run = at_once, .brief = 1},
    {0},
};

static const struct bench_workload null_op_workload = {
    .name = "null_op",
    .subject = "pons",
    .measures = "the framework's own share of an operation",
    .how = "64 stackless tasks, each with one recv at a time in the null "
           "reactor, which completes it by an event, or inline in submit",
    .silent = "the kernel's share, which is most of a real operation",
    .axes = BENCH_WORKERS,
    .cases = cases,
};

int
main(int argc, char **argv)
{
    return bench_main(
        (const struct bench_workload *const[]){&null_op_workload, NULL}, argc,
        argv);
}
