/* SPDX-License-Identifier: MIT */
/*
 * bench/null_op.c - an operation in the null reactor: submitted, completed by
 * an event, its task resumed. All of it is the framework's own cost.
 *
 *   event    64 stackless tasks with one op each in the reactor at a time
 *   inline   the reactor completes in submit
 */

#include <pons/pons.h>

#include "tcp_pair.h"

enum { TASKS = 64, OPS = 5000 };

struct receiver {
    struct pons_future base;
    struct pons_recv recv;
    struct pons_stream *stream;
    char byte;
    int left;
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
run(void *series)
{
    struct pons_task *tasks[TASKS];
    double began = bench_now_ns();

    for (int i = 0; i < TASKS; i++) {
        receivers[i].left = OPS;
        pons_future_init(&receivers[i].base, &receiver_ops);
        bench_must(pons_spawn_future(NULL, &receivers[i].base, &tasks[i]) == 0,
                   "spawn");
    }
    for (int i = 0; i < TASKS; i++)
        bench_must(pons_join(tasks[i], NULL) == 0, "join");
    bench_add(series, (bench_now_ns() - began) / ((double)TASKS * OPS));
    return 0;
}

static void
measure(const char *reactor, struct bench_series *series, unsigned repeat)
{
    const struct pons_settings settings = {
        .size = sizeof settings, .workers = "1", .reactor = reactor};
    struct pons_runtime *rt;
    struct pons_task *t;

    bench_must(pons_runtime_new(&rt, &settings) == 0, pons_last_error());
    for (int i = 0; i < TASKS; i++) {
        int fds[2];

        tcp_pair(fds);
        close(fds[1]);
        bench_must(pons_stream_adopt(&receivers[i].stream, fds[0]) == 0,
                   pons_last_error());
    }
    for (unsigned r = 0; r < repeat; r++)
        bench_must(pons_spawn(rt, run, series, &t) == 0 &&
                       pons_join(t, NULL) == 0,
                   "run");
    for (int i = 0; i < TASKS; i++)
        pons_stream_close(receivers[i].stream);
    pons_runtime_unref(rt);
}

int
main(int argc, char **argv)
{
    static struct bench_series event = {"null_op", "event", "wall",
                                        "ns",      {0},     0};
    static struct bench_series at_once = {"null_op", "inline", "wall",
                                          "ns",      {0},      0};
    unsigned repeat = bench_repeat(argc, argv);

    measure("null", &event, repeat);
    measure("null:inline=yes", &at_once, repeat);
    bench_print(&event);
    bench_print(&at_once);
    return 0;
}
