/* SPDX-License-Identifier: MIT */
/*
 * bench/cancel_storm.c - many tasks that wait are cancelled at once.
 */

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "core/atomic.h"
#include "counts.h"
#include "descriptors.h"
#include "runtime.h"

struct waiter {
    struct pons_future base;
    union {
        struct pons_sleep sleep;
        struct pons_recv recv;
    } wait;
    struct pons_stream *stream;
    int far; // the other end of the stream
    char byte;
};

static struct waiter waiters[STORM_SLEEPERS];
static struct pons_task *tasks[STORM_SLEEPERS];
static uint32_t waiting; // how many have begun

static enum pons_poll
sleeper_poll(struct pons_future *f, struct pons_waker *w)
{
    struct waiter *s = pons_container_of(f, struct waiter, base);

    PONS_BEGIN(f);
    (void)poni_add_relaxed(&waiting, 1);
    pons_sleep_init(&s->wait.sleep, pons_after_ms(FAR_MS));
    PONS_AWAIT(f, w, &s->wait.sleep);
    PONS_RETURN(f, s->wait.sleep.base.result);
    PONS_END(f);
}

static enum pons_poll
receiver_poll(struct pons_future *f, struct pons_waker *w)
{
    struct waiter *s = pons_container_of(f, struct waiter, base);

    PONS_BEGIN(f);
    (void)poni_add_relaxed(&waiting, 1);
    pons_recv_init(&s->wait.recv, s->stream, &s->byte, 1);
    PONS_AWAIT(f, w, &s->wait.recv);
    PONS_RETURN(f, s->wait.recv.base.result);
    PONS_END(f);
}

static const struct pons_future_ops sleeper_ops = {
    .size = sizeof sleeper_ops, .name = "sleeper", .poll = sleeper_poll};
static const struct pons_future_ops receiver_ops = {
    .size = sizeof receiver_ops, .name = "receiver", .poll = receiver_poll};

struct storm {
    struct bench_run *run;
    const struct pons_future_ops *ops;
    uint32_t count;
};

/* The null reactor receives what nobody sent. */
static void
storm_check(struct storm *s, int64_t answer)
{
    if (answer == 1)
        bench_skip(s->run, "this reactor's ops end by themselves");
    else
        bench_must(answer == -ECANCELED, "a cancelled task");
}

static int64_t
storm(void *arg)
{
    struct storm *s = arg;
    int64_t answer;

    poni_store_relaxed(&waiting, 0);
    for (uint32_t i = 0; i < s->count; i++) {
        pons_future_init(&waiters[i].base, s->ops);
        bench_must(pons_spawn_future(NULL, &waiters[i].base, &tasks[i]) == 0,
                   "spawn");
    }
    while (poni_load_relaxed(&waiting) < s->count)
        bench_must(pons_yield() == 0, "yield");
    bench_start(s->run);
    for (uint32_t i = 0; i < s->count; i++)
        pons_cancel(tasks[i]);
    for (uint32_t i = 0; i < s->count; i++) {
        bench_must(pons_join(tasks[i], &answer) == 0, "join");
        storm_check(s, answer);
    }
    bench_stop(s->run, s->count);
    return 0;
}

static void
sleeping(struct bench_run *r)
{
    struct pons_runtime *rt = bench_runtime();
    struct storm s = {r, &sleeper_ops, STORM_SLEEPERS};

    bench_inside(rt, storm, &s);
    pons_runtime_unref(rt);
}

static void
receiver_open(struct waiter *w)
{
    int fds[2];

    bench_must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0, "socketpair");
    bench_must(pons_stream_adopt(&w->stream, fds[0]) == 0, "adopt");
    w->far = fds[1];
}

static void
receiving(struct bench_run *r)
{
    struct storm s = {r, &receiver_ops, STORM_RECEIVERS};
    struct pons_runtime *rt;

    if (!descriptors_want(r, 2 * s.count))
        return;
    rt = bench_runtime();
    for (uint32_t i = 0; i < s.count; i++)
        receiver_open(&waiters[i]);
    bench_inside(rt, storm, &s);
    for (uint32_t i = 0; i < s.count; i++) {
        pons_stream_close(waiters[i].stream);
        close(waiters[i].far);
    }
    pons_runtime_unref(rt);
}

static const struct bench_case cases[] = {
    {.name = "sleeping", .run = sleeping, .brief = 1},
    {.name = "receiving", .run = receiving, .brief = 1},
    {0},
};

static const struct bench_workload cancel_storm_workload = {
    .name = "cancel_storm",
    .subject = "pons",
    .measures = "cancelling a task that waits, to its end",
    .how = "a fiber cancels all, then joins all: 10,000 stackless tasks that "
           "sleep for an hour, or 1000 that receive from a socket each",
    .silent = "cancelling a task that runs, or from another thread",
    .axes = BENCH_REACTOR | BENCH_WORKERS,
    .cases = cases,
};

int
main(int argc, char **argv)
{
    return bench_main(
        (const struct bench_workload *const[]){&cancel_storm_workload, NULL},
        argc, argv);
}
