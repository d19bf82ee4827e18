/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/libuv/many.c - many handles that wait, of which few are active,
 * or all are stopped at once.
 *
 * Pipes and sockets are streams, as libuv's users have them. What is stopped
 * has ended with the loop's next turn.
 */

#include "libuv.h"
#include "pairs.h"
#include "pipes.h"

static void
stream_open(uv_loop_t *loop, uv_pipe_t *p, int fd)
{
    bench_must(uv_pipe_init(loop, p, 0) == 0 && uv_pipe_open(p, fd) == 0,
               "uv_pipe_open");
}

static void
stream_lend(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    static char bytes[64];

    (void)h;
    (void)suggested;
    *buf = uv_buf_init(bytes, sizeof bytes);
}

/* --- fanin --- */

struct passer {
    uv_pipe_t in, out;
    struct passer *next;
    uint64_t *left; // passes to go, of all
};

static struct passer passers[PIPES];

static void
passer_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct passer *p = s->data;
    uv_buf_t byte = uv_buf_init(buf->base, 1);

    if (n == 0)
        return; // nothing there, after all
    bench_must(n == 1 &&
                   uv_try_write((uv_stream_t *)&p->next->out, &byte, 1) == 1,
               "a pass");
    if (--*p->left == 0)
        uv_stop(s->loop);
}

static void
passers_open(uv_loop_t *loop, uint64_t *left)
{
    for (unsigned i = 0; i < PIPES; i++) {
        struct passer *p = &passers[i];

        stream_open(loop, &p->in, pipes[i][0]);
        stream_open(loop, &p->out, pipes[i][1]);
        p->in.data = p;
        p->next = &passers[(i + 1) % PIPES];
        p->left = left;
        bench_must(
            uv_read_start((uv_stream_t *)&p->in, stream_lend, passer_read) == 0,
            "uv_read_start");
    }
    uv_run(loop, UV_RUN_NOWAIT); // all are waited for
}

static void
fanin_run(struct bench_run *r)
{
    uint64_t passes = bench_ops(r, PASSES), left = passes;
    uv_loop_t loop;

    if (!pipes_open(r))
        return;
    loop_open(&loop);
    passers_open(&loop, &left);
    bench_start(r);
    pipes_serve();
    uv_run(&loop, UV_RUN_DEFAULT);
    bench_stop(r, passes);
    for (unsigned i = 0; i < PIPES; i++) {
        uv_close((uv_handle_t *)&passers[i].in, NULL); // and the pipe's ends
        uv_close((uv_handle_t *)&passers[i].out, NULL);
    }
    loop_close(&loop);
}

PEER_FANIN(
    libuv,
    "500 uv_pipe_t are read; 5 bytes go round, each is given to the next "
    "by uv_try_write()",
    "many active at once; sockets");

/* --- cancel_storm --- */

static void
timer_ended(uv_timer_t *t)
{
    (void)t;
    bench_must(0, "a timer that was far away");
}

static void
storm_sleeping(struct bench_run *r)
{
    static uv_timer_t timers[STORM_SLEEPERS];
    uv_loop_t loop;

    loop_open(&loop);
    for (unsigned i = 0; i < STORM_SLEEPERS; i++) {
        uv_timer_init(&loop, &timers[i]);
        uv_timer_start(&timers[i], timer_ended, FAR_MS, 0);
    }
    uv_run(&loop, UV_RUN_NOWAIT);
    bench_start(r);
    for (unsigned i = 0; i < STORM_SLEEPERS; i++)
        uv_timer_stop(&timers[i]);
    uv_run(&loop, UV_RUN_NOWAIT);
    bench_stop(r, STORM_SLEEPERS);
    for (unsigned i = 0; i < STORM_SLEEPERS; i++)
        uv_close((uv_handle_t *)&timers[i], NULL);
    loop_close(&loop);
}

static void
receiver_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    (void)s;
    (void)buf;
    bench_must(n == 0, "nothing to receive");
}

static void
storm_receiving(struct bench_run *r)
{
    static uv_pipe_t receivers[STORM_RECEIVERS];
    uv_loop_t loop;

    if (!pairs_open(r, SOCK_NONBLOCK))
        return;
    loop_open(&loop);
    for (unsigned i = 0; i < STORM_RECEIVERS; i++) {
        stream_open(&loop, &receivers[i], pairs[i][0]);
        uv_read_start((uv_stream_t *)&receivers[i], stream_lend, receiver_read);
    }
    uv_run(&loop, UV_RUN_NOWAIT);
    bench_start(r);
    for (unsigned i = 0; i < STORM_RECEIVERS; i++)
        uv_read_stop((uv_stream_t *)&receivers[i]);
    uv_run(&loop, UV_RUN_NOWAIT);
    bench_stop(r, STORM_RECEIVERS);
    for (unsigned i = 0; i < STORM_RECEIVERS; i++)
        uv_close((uv_handle_t *)&receivers[i], NULL); // and the socket
    pairs_close(0);
    loop_close(&loop);
}

PEER_CANCEL_STORM(libuv,
                  "10,000 timers, or 1000 streams that are read, are stopped, "
                  "and the loop turns once",
                  "what closing takes; nobody is told that a wait was given "
                  "up, and the kernel only when it tells of one");
