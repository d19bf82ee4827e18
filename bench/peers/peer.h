/* SPDX-License-Identifier: MIT */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

/*
 * bench/peers/peer.h - what the peers in C and C++ share, so that they are
 * measured alike: the program (workloads, or `--serve echo`), how sleeps are
 * judged, and the threads that wake a peer's loop from outside. How a peer does
 * its work is its own.
 */

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "counts.h"
#include "memory.h"
#include "serve.h"
#include "workloads.h"

/* --- the program --- */

/* PONS_WORKERS, at least 1: a loop without a thread serves nobody. */
static inline unsigned
peer_workers(void)
{
    const char *text = getenv("PONS_WORKERS");
    int n = text ? atoi(text) : 1;

    return n > 1 ? (unsigned)n : 1;
}

static inline void *
peer_until_stdin_ends(void *arg)
{
    char bytes[64];

    while (read(STDIN_FILENO, bytes, sizeof bytes) > 0)
        ;
    _exit(0);
    return arg;
}

/* bench_main(), and the server: `serve` prints its port and never returns. It
 * ends with stdin, which a thread of its own reads: that is the bench's affair
 * and not to be seen in the peer's code. `how` it serves is for people; `axes`
 * is what changes its figures. */
static inline int
peer_main(const struct bench_workload *const *workloads, const char *subject,
          void (*serve)(void), const char *how, const char *axes, int argc,
          char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--serve") == 0 &&
        strcmp(argv[2], "echo") == 0) {
        pthread_t thread;

        (void)signal(SIGPIPE, SIG_IGN); // a client may leave first
        bench_must(pthread_create(&thread, NULL, peer_until_stdin_ends, NULL) ==
                       0,
                   "a thread");
        serve();
        return 1;
    }
    if (argc == 2 && strcmp(argv[1], "--describe") == 0) {
        const struct serve_description about = {
            subject, how, "what an application does with a message", axes};

        serve_describe(&about);
    }
    return bench_main(workloads, argc, argv);
}

/* --- an ordinary thread waits until the last of many has run --- */

struct gate {
    sem_t open;
    uint32_t missing; // atomic
};

static inline void
gate_init(struct gate *g)
{
    bench_must(sem_init(&g->open, 0, 0) == 0, "a semaphore");
}

static inline void
gate_shut(struct gate *g, uint32_t missing)
{
    /* Whoever makes the tasks known to others publishes it. */
    __atomic_store_n(&g->missing, missing, __ATOMIC_RELAXED);
}

static inline void
gate_arrive(struct gate *g)
{
    /* Each pairs with the others: the last has seen what all have done. */
    if (__atomic_sub_fetch(&g->missing, 1, __ATOMIC_ACQ_REL) == 0)
        sem_post(&g->open);
}

static inline void
gate_wait(struct gate *g)
{
    while (sem_wait(&g->open) < 0)
        ; // a signal
}

/* --- naps: sleeps of 1 to 10 ms, of timers and of stalls --- */

/* How late naps end; those that end too early count as not late. */
struct naps {
    struct histogram *late;
    uint64_t early;
    int stalls;
};

/* How many of one napper. */
static inline unsigned
naps_each(const struct bench_run *r)
{
    return bench_is_quick(r) ? NAPS_QUICK : NAPS;
}

static inline void
naps_begin(struct naps *n, int stalls)
{
    n->late = histogram_new();
    n->early = 0;
    n->stalls = stalls;
    bench_must(n->late != NULL, "a histogram");
}

/* A nap has ended at `now` that was to end at `deadline`, both of bench_now().
 * 1: the napper is to block its thread next, by nap_stall(). */
static inline int
nap_ended(struct naps *n, uint64_t deadline, uint64_t now)
{
    if (now < deadline)
        n->early++;
    histogram_record(n->late, now < deadline ? 0 : now - deadline);
    return n->stalls && histogram_count(n->late) % NAP_STALL_EVERY == 0;
}

static inline void
nap_stall(void)
{
    const struct timespec stall = {0, NAP_STALL_NS};

    nanosleep(&stall, NULL);
}

static inline void
naps_finish(struct naps *n, struct bench_run *r)
{
    uint64_t count = histogram_count(n->late);

    bench_must(count == NAPPERS * naps_each(r), "every nap");
    bench_stop(r, count);
    bench_latencies(r, n->late);
    bench_value(r, "early", "1", (double)n->early / (double)count);
    histogram_free(n->late);
}

/* --- wake_cross: threads that wake a loop --- */

/* One sender waits for each of its wakes to arrive; several just send, and the
 * loop takes however many have come. */
struct crossing {
    /* Set once, before the first thread starts. */
    void (*wake)(void *arg); // called by the senders
    void *arg;
    uint64_t each; // wakes of one sender
    unsigned senders;
    struct histogram *latencies; // of one sender's wakes; the loop's

    uint64_t arrived; // the loop's
    uint64_t sent;    // atomic: sent and not yet taken
    uint64_t sent_at; // the one sender's; the loop reads it once `sent` is 1
    sem_t taken;      // posted by the loop for a single sender
    pthread_t threads[SENDERS];
};

static inline void *
crossing_send(void *arg)
{
    struct crossing *c = (struct crossing *)arg;

    for (uint64_t i = 0; i < c->each; i++) {
        if (c->senders == 1)
            c->sent_at = bench_now();
        /* Pairs with the exchange in crossing_arrived(): sent_at. In one order
         * with what the wake looks at: whether one is under way already. */
        __atomic_fetch_add(&c->sent, 1, __ATOMIC_SEQ_CST);
        c->wake(c->arg);
        while (c->senders == 1 && sem_wait(&c->taken) < 0)
            ; // a signal
    }
    return NULL;
}

/* Starts the senders. Wakes may arrive from now on. */
static inline void
crossing_start(struct crossing *c, unsigned senders, uint64_t each,
               void (*wake)(void *), void *arg)
{
    memset(c, 0, sizeof *c);
    c->wake = wake;
    c->arg = arg;
    c->each = each;
    c->senders = senders;
    c->latencies = histogram_new();
    bench_must(c->latencies != NULL && sem_init(&c->taken, 0, 0) == 0,
               "a crossing");
    for (unsigned i = 0; i < senders; i++)
        bench_must(pthread_create(&c->threads[i], NULL, crossing_send, c) == 0,
                   "a sender");
}

/* The loop was woken. 1 when that was the last: it is to stop. */
static inline int
crossing_arrived(struct crossing *c)
{
    /* Pairs with the add in crossing_send(). */
    uint64_t n = __atomic_exchange_n(&c->sent, 0, __ATOMIC_SEQ_CST);

    if (n == 0)
        return c->arrived == c->each * c->senders;
    c->arrived += n;
    if (c->senders == 1) {
        histogram_record(c->latencies, bench_now() - c->sent_at);
        sem_post(&c->taken);
    }
    return c->arrived == c->each * c->senders;
}

/* After the loop has stopped: joins the senders and gives the figures. */
static inline void
crossing_finish(struct crossing *c, struct bench_run *r)
{
    bench_must(c->arrived == c->each * c->senders, "every wake");
    bench_stop(r, c->arrived);
    if (c->senders == 1)
        bench_latencies(r, c->latencies);
    for (unsigned i = 0; i < c->senders; i++)
        pthread_join(c->threads[i], NULL);
    sem_destroy(&c->taken);
    histogram_free(c->latencies);
}

#endif /* BENCH_PEER_H */
