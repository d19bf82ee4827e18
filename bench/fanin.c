/* SPDX-License-Identifier: MIT */
/*
 * bench/fanin.c - many descriptors, few of them active: 500 pipes are waited
 * on, 5 bytes go round.
 *
 * After libevent's bench.c (Niels Provos).
 */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "bench.h"
#include "cell.h"
#include "counts.h"
#include "descriptors.h"
#include "runtime.h"

/* Receives a byte from its pipe and sends it into the next. */
struct passer {
    struct pons_future base;
    union {
        struct pons_recv recv;
        struct pons_send send;
    } io;
    struct pons_stream *in, *next; // `next` is the next passer's pipe
    char byte;
};

static struct passer passers[PIPES];
static struct pons_stream *outs[PIPES];
static struct cell finished;
static uint32_t waiting; // how many passers have begun
static int64_t left;     // passes to go

static enum pons_poll
passer_poll(struct pons_future *f, struct pons_waker *w)
{
    struct passer *p = pons_container_of(f, struct passer, base);
    int64_t n;

    PONS_BEGIN(f);
    (void)poni_add_relaxed(&waiting, 1);
    for (;;) {
        pons_recv_init(&p->io.recv, p->in, &p->byte, 1);
        PONS_AWAIT(f, w, &p->io.recv);
        if (p->io.recv.base.result != 1)
            PONS_RETURN(f, p->io.recv.base.result);
        n = poni_sub(&left, 1);
        if (n == 1)
            cell_ring(&finished);
        if (n <= 1)
            continue; // a byte that stops here
        pons_send_init(&p->io.send, p->next, &p->byte, 1);
        PONS_AWAIT(f, w, &p->io.send);
        bench_must(p->io.send.base.result == 1, "send");
    }
    PONS_END(f);
}

static const struct pons_future_ops passer_ops = {
    .size = sizeof passer_ops, .name = "passer", .poll = passer_poll};

static void
pipes_open(void)
{
    for (int i = 0; i < PIPES; i++) {
        int fds[2];

        bench_must(pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0, "pipe");
        bench_must(pons_stream_adopt(&passers[i].in, fds[0]) == 0 &&
                       pons_stream_adopt(&outs[i], fds[1]) == 0,
                   "adopt");
    }
    for (int i = 0; i < PIPES; i++)
        passers[i].next = outs[(i + 1) % PIPES];
}

static void
pipes_close(void)
{
    for (int i = 0; i < PIPES; i++) {
        pons_stream_close(passers[i].in);
        pons_stream_close(outs[i]);
    }
}

static int64_t
pass(void *arg)
{
    struct pons_task *tasks[PIPES];
    struct bench_run *r = arg;
    uint64_t passes = bench_ops(r, PASSES);
    int64_t answer;

    left = (int64_t)passes;
    poni_store_relaxed(&waiting, 0);
    for (int i = 0; i < PIPES; i++) {
        pons_future_init(&passers[i].base, &passer_ops);
        bench_must(pons_spawn_future(NULL, &passers[i].base, &tasks[i]) == 0,
                   "spawn");
    }
    /* Bytes that find nobody there would go on as one crowd. */
    while (poni_load_relaxed(&waiting) < PIPES)
        bench_must(pons_yield() == 0, "yield");
    cell_wait_init(&finished);
    bench_start(r);
    for (int i = 0; i < PIPES_ACTIVE; i++)
        bench_must(pons_send(outs[i * (PIPES / PIPES_ACTIVE)], "", 1) == 1,
                   "send");
    bench_must(pons_await(&finished.base) == 0, "the last pass");
    bench_stop(r, passes);
    for (int i = 0; i < PIPES; i++)
        pons_cancel(tasks[i]);
    for (int i = 0; i < PIPES; i++)
        bench_must(pons_join(tasks[i], &answer) == 0 && answer == -ECANCELED,
                   "a passer");
    return 0;
}

static void
five_active(struct bench_run *r)
{
    struct pons_runtime *rt;

    if (!descriptors_want(r, 2 * PIPES))
        return;
    rt = bench_runtime();
    pipes_open();
    bench_inside(rt, pass, r);
    pipes_close();
    pons_runtime_unref(rt);
}

static const struct bench_case cases[] = {
    {.name = "500 pipes, 5 active", .run = five_active, .brief = 1},
    {0},
};

static const struct bench_workload fanin_workload = {
    .name = "fanin",
    .subject = "pons",
    .measures = "one event among many descriptors that are waited on",
    .how = "500 stackless tasks receive from a pipe each; 5 bytes go round, "
           "each task sends what it got into the next pipe",
    .silent = "many active at once; sockets",
    .axes = BENCH_REACTOR | BENCH_WORKERS,
    .cases = cases,
};

int
main(int argc, char **argv)
{
    return bench_main(
        (const struct bench_workload *const[]){&fanin_workload, NULL}, argc,
        argv);
}
