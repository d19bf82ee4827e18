/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/libuv/work.c - calls given to other threads by uv_queue_work().
 *
 * The pool has libuv's own 4 threads, or UV_THREADPOOL_SIZE.
 */

#include "libuv.h"

static void
job(uv_work_t *w)
{
    (void)w;
}

static void
job_queue(uv_loop_t *loop, uv_work_t *w, uv_after_work_cb done)
{
    bench_must(uv_queue_work(loop, w, job, done) == 0, "uv_queue_work");
}

/* --- blocking_roundtrip --- */

struct caller {
    uv_work_t work;
    uv_idle_t busy; // where the loop is to be kept turning
    uint64_t left;
};

static void
caller_done(uv_work_t *w, int status)
{
    struct caller *c = w->data;

    (void)status;
    if (--c->left > 0)
        job_queue(w->loop, w, caller_done);
    else
        uv_idle_stop(&c->busy);
}

static void
busy_turn(uv_idle_t *h)
{
    (void)h;
}

static void
roundtrip_run(struct bench_run *r, int busy)
{
    uint64_t jobs = bench_ops(r, JOBS);
    struct caller c = {.left = jobs};
    uv_loop_t loop;

    loop_open(&loop);
    uv_idle_init(&loop, &c.busy);
    if (busy)
        uv_idle_start(&c.busy, busy_turn);
    c.work.data = &c;
    bench_start(r);
    job_queue(&loop, &c.work, caller_done);
    uv_run(&loop, UV_RUN_DEFAULT);
    bench_stop(r, jobs);
    uv_close((uv_handle_t *)&c.busy, NULL);
    loop_close(&loop);
}

PEER_BLOCKING_ROUNDTRIP(libuv,
                        "uv_queue_work() of nothing, one at a time; busy: an "
                        "idle handle keeps the loop turning");

/* --- blocking_throughput --- */

struct submitter {
    uv_loop_t *loop;
    uint64_t rounds;
    unsigned missing; // of this round
    uv_work_t works[AT_ONCE];
};

static void
submitter_round(struct submitter *s, uv_after_work_cb done)
{
    s->missing = AT_ONCE;
    for (int i = 0; i < AT_ONCE; i++) {
        s->works[i].data = s;
        job_queue(s->loop, &s->works[i], done);
    }
}

static void
submitter_done(uv_work_t *w, int status)
{
    struct submitter *s = w->data;

    (void)status;
    if (--s->missing == 0 && --s->rounds > 0)
        submitter_round(s, submitter_done);
}

static void
throughput_run(struct bench_run *r, unsigned submitters)
{
    static struct submitter all[SUBMITTERS_MAX];
    uint64_t each = bench_ops(r, AT_ONCE_ROUNDS) / submitters + 1;
    uv_loop_t loop;

    loop_open(&loop);
    bench_start(r);
    for (unsigned i = 0; i < submitters; i++) {
        all[i].loop = &loop;
        all[i].rounds = each;
        submitter_round(&all[i], submitter_done);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    bench_stop(r, submitters * each * AT_ONCE);
    loop_close(&loop);
}

PEER_BLOCKING_THROUGHPUT(libuv,
                         "1, 4 or 16 times 256 calls of uv_queue_work() at "
                         "once, and again when all of them have ended");
