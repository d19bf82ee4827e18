/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/threads/many.c - many threads that wait, of which few are active,
 * or all are cancelled at once.
 */

#include <fcntl.h>

#include "pairs.h"
#include "threads.h"

/* --- fanin --- */

struct ring {
    int pipes[PIPES][2]; // blocking
    int64_t left;        // atomic: passes to go
    sem_t finished;
};

struct passer {
    struct ring *ring;
    unsigned pipe;
};

enum { PASS = 'p', END = 'e' }; // bytes

static void *
passer_run(void *arg)
{
    struct passer *p = arg;
    struct ring *ring = p->ring;
    char byte;

    while (read(ring->pipes[p->pipe][0], &byte, 1) == 1 && byte == PASS) {
        int64_t n = __atomic_fetch_sub(&ring->left, 1, __ATOMIC_RELAXED);

        if (n == 1)
            sem_post(&ring->finished);
        if (n <= 1)
            continue; // a byte that stops here
        bench_must(write(ring->pipes[(p->pipe + 1) % PIPES][1], &byte, 1) == 1,
                   "write");
    }
    return NULL;
}

static void
ring_put(struct ring *ring, unsigned pipe, char byte)
{
    bench_must(write(ring->pipes[pipe][1], &byte, 1) == 1, "write");
}

static void
fanin_run(struct bench_run *r)
{
    struct ring ring = {.left = (int64_t)bench_ops(r, PASSES)};
    uint64_t passes = (uint64_t)ring.left;
    struct passer passers[PIPES];
    pthread_t threads[PIPES];

    if (!descriptors_want(r, 2 * PIPES))
        return;
    bench_must(sem_init(&ring.finished, 0, 0) == 0, "a semaphore");
    for (unsigned i = 0; i < PIPES; i++)
        bench_must(pipe2(ring.pipes[i], O_CLOEXEC) == 0, "a pipe");
    for (unsigned i = 0; i < PIPES; i++) {
        passers[i] = (struct passer){&ring, i};
        threads[i] = thread_start(passer_run, &passers[i]);
    }
    bench_start(r);
    for (unsigned i = 0; i < PIPES_ACTIVE; i++)
        ring_put(&ring, i * (PIPES / PIPES_ACTIVE), PASS);
    while (sem_wait(&ring.finished) < 0)
        ; // a signal
    bench_stop(r, passes);
    for (unsigned i = 0; i < PIPES; i++)
        ring_put(&ring, i, END);
    for (unsigned i = 0; i < PIPES; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < PIPES; i++) {
        close(ring.pipes[i][0]);
        close(ring.pipes[i][1]);
    }
    sem_destroy(&ring.finished);
}

PEER_FANIN(threads,
           "500 threads, each reads from a pipe; 5 bytes go round, each thread "
           "writes what it got into the next pipe",
           "many active at once; sockets");

/* --- cancel_storm --- */

static sem_t waiting; // posted by each before it waits

static void *
sleeper_run(void *arg)
{
    const struct timespec far = {FAR_MS / 1000, 0};

    sem_post(&waiting);
    nanosleep(&far, NULL);
    return arg;
}

static void *
receiver_run(void *arg)
{
    const int *fd = arg;
    char byte;

    sem_post(&waiting);
    bench_must(recv(*fd, &byte, 1, 0) < 0, "nothing to receive");
    return NULL;
}

/* Cancels all, and joins them. */
static void
storm(struct bench_run *r, const pthread_t *threads, unsigned count)
{
    void *answer;

    for (unsigned i = 0; i < count; i++)
        while (sem_wait(&waiting) < 0)
            ; // a signal
    bench_start(r);
    for (unsigned i = 0; i < count; i++)
        pthread_cancel(threads[i]);
    for (unsigned i = 0; i < count; i++)
        bench_must(pthread_join(threads[i], &answer) == 0 &&
                       answer == PTHREAD_CANCELED,
                   "a cancelled thread");
    bench_stop(r, count);
    sem_destroy(&waiting);
}

static void
storm_sleeping(struct bench_run *r)
{
    static pthread_t threads[STORM_SLEEPERS];

    bench_must(sem_init(&waiting, 0, 0) == 0, "a semaphore");
    for (unsigned i = 0; i < STORM_SLEEPERS; i++)
        threads[i] = thread_start(sleeper_run, NULL);
    storm(r, threads, STORM_SLEEPERS);
}

static void
storm_receiving(struct bench_run *r)
{
    static pthread_t threads[STORM_RECEIVERS];

    if (!pairs_open(r, 0))
        return;
    bench_must(sem_init(&waiting, 0, 0) == 0, "a semaphore");
    for (unsigned i = 0; i < STORM_RECEIVERS; i++)
        threads[i] = thread_start(receiver_run, &pairs[i][0]);
    storm(r, threads, STORM_RECEIVERS);
    pairs_close(1);
}

PEER_CANCEL_STORM(threads,
                  "pthread_cancel() of all, then all are joined: 10,000 "
                  "threads in nanosleep(), or 1000 in recv()",
                  "what code must do to be safe where it is cancelled");
