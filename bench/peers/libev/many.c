/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/libev/many.c - many watchers that wait, of which few are active,
 * or all are stopped at once. What is stopped has ended with the loop's next
 * turn.
 */

#include "libev.h"
#include "pairs.h"
#include "pipes.h"

/* --- fanin --- */

struct passer {
    ev_io io; // first: the callback's watcher is the passer
    unsigned pipe;
    uint64_t *left; // passes to go, of all
};

static void
passer_ready(struct ev_loop *loop, ev_io *w, int events)
{
    struct passer *p = (struct passer *)w;

    (void)events;
    pipes_pass(p->pipe);
    if (--*p->left == 0)
        ev_break(loop, EVBREAK_ALL);
}

static void
fanin_run(struct bench_run *r)
{
    uint64_t passes = bench_ops(r, PASSES), left = passes;
    struct passer passers[PIPES];
    struct ev_loop *loop;

    if (!pipes_open(r))
        return;
    loop = loop_new();
    for (unsigned i = 0; i < PIPES; i++) {
        passers[i].pipe = i;
        passers[i].left = &left;
        ev_io_init(&passers[i].io, passer_ready, pipes[i][0], EV_READ);
        ev_io_start(loop, &passers[i].io);
    }
    ev_run(loop, EVRUN_NOWAIT); // all are waited for
    bench_start(r);
    pipes_serve();
    ev_run(loop, 0);
    bench_stop(r, passes);
    ev_loop_destroy(loop);
    pipes_close();
}

PEER_FANIN(libev,
           "500 ev_io, each on a pipe; 5 bytes go round, each is read and "
           "written into the next pipe",
           "many active at once; sockets");

/* --- cancel_storm --- */

static void
timer_ended(struct ev_loop *loop, ev_timer *t, int events)
{
    (void)loop;
    (void)t;
    (void)events;
    bench_must(0, "a timer that was far away");
}

static void
storm_sleeping(struct bench_run *r)
{
    static ev_timer timers[STORM_SLEEPERS];
    struct ev_loop *loop = loop_new();

    for (unsigned i = 0; i < STORM_SLEEPERS; i++) {
        ev_timer_init(&timers[i], timer_ended, FAR_MS / 1000.0, 0);
        ev_timer_start(loop, &timers[i]);
    }
    ev_run(loop, EVRUN_NOWAIT);
    bench_start(r);
    for (unsigned i = 0; i < STORM_SLEEPERS; i++)
        ev_timer_stop(loop, &timers[i]);
    ev_run(loop, EVRUN_NOWAIT);
    bench_stop(r, STORM_SLEEPERS);
    ev_loop_destroy(loop);
}

static void
receiver_ready(struct ev_loop *loop, ev_io *w, int events)
{
    (void)loop;
    (void)w;
    (void)events;
    bench_must(0, "a receiver of nothing");
}

static void
storm_receiving(struct bench_run *r)
{
    static ev_io receivers[STORM_RECEIVERS];
    struct ev_loop *loop;

    if (!pairs_open(r, SOCK_NONBLOCK))
        return;
    loop = loop_new();
    for (unsigned i = 0; i < STORM_RECEIVERS; i++) {
        ev_io_init(&receivers[i], receiver_ready, pairs[i][0], EV_READ);
        ev_io_start(loop, &receivers[i]);
    }
    ev_run(loop, EVRUN_NOWAIT);
    bench_start(r);
    for (unsigned i = 0; i < STORM_RECEIVERS; i++)
        ev_io_stop(loop, &receivers[i]);
    ev_run(loop, EVRUN_NOWAIT);
    bench_stop(r, STORM_RECEIVERS);
    ev_loop_destroy(loop);
    pairs_close(1);
}

PEER_CANCEL_STORM(libev,
                  "10,000 ev_timer, or 1000 ev_io on a socket each, are "
                  "stopped, and the loop turns once",
                  "nobody is told that a wait was given up, and the kernel "
                  "only when it tells of one");
