/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/threads/wake.c - threads that wait on a condition variable.
 */

#include "threads.h"

/* A waiter's word: set by whoever wakes, cleared by the one that waits. */
struct bell {
    pthread_mutex_t lock;
    pthread_cond_t rung;
    int ringing; // guarded by the lock
};

static void
bell_init(struct bell *b)
{
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->rung, NULL);
    b->ringing = 0;
}

static void
bell_fini(struct bell *b)
{
    pthread_cond_destroy(&b->rung);
    pthread_mutex_destroy(&b->lock);
}

static void
bell_ring(void *arg)
{
    struct bell *b = arg;

    pthread_mutex_lock(&b->lock);
    b->ringing = 1;
    pthread_cond_signal(&b->rung);
    pthread_mutex_unlock(&b->lock);
}

static void
bell_wait(struct bell *b)
{
    pthread_mutex_lock(&b->lock);
    while (!b->ringing)
        pthread_cond_wait(&b->rung, &b->lock);
    b->ringing = 0;
    pthread_mutex_unlock(&b->lock);
}

/* --- ping_pong --- */

struct game {
    struct bell ping, pong;
    uint64_t balls;
};

static void *
game_return(void *arg)
{
    struct game *g = arg;

    for (uint64_t i = 0; i < g->balls; i++) {
        bell_wait(&g->ping);
        bell_ring(&g->pong);
    }
    return NULL;
}

static void
ping_pong_run(struct bench_run *r)
{
    struct game g = {.balls = bench_ops(r, TURNS / FEWER)};
    pthread_t other;

    bell_init(&g.ping);
    bell_init(&g.pong);
    bench_start(r);
    other = thread_start(game_return, &g);
    for (uint64_t i = 0; i < g.balls; i++) {
        bell_ring(&g.ping);
        bell_wait(&g.pong);
    }
    bench_stop(r, g.balls);
    pthread_join(other, NULL);
    bell_fini(&g.ping);
    bell_fini(&g.pong);
}

PEER_PING_PONG(threads, "two threads, a condition variable each",
               "where the kernel let them run");

/* --- wake_cross --- */

static void
cross_run(struct bench_run *r, unsigned senders, uint64_t each)
{
    struct crossing c;
    struct bell bell;

    bell_init(&bell);
    bench_start(r);
    crossing_start(&c, senders, each, bell_ring, &bell);
    do
        bell_wait(&bell);
    while (!crossing_arrived(&c));
    crossing_finish(&c, r);
    bell_fini(&bell);
}

PEER_WAKE_CROSS(threads, WAKES_FLOOD / FEWER, "a condition variable",
                "how many of four threads' wakes became one");
