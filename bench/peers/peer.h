/* SPDX-License-Identifier: MIT */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

/*
 * bench/peers/peer.h - what the peers in C and C++ share, so that they are
 * measured alike: the program (workloads, or `--serve echo`), how much is done,
 * how sleeps and memory are judged, and the threads that wake a peer's loop
 * from outside. How a peer does its work is its own.
 */

#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "serve.h"

/* --- how much of each, the same for all --- */

enum {
    TASKS = 1000,
    SPAWN_ROUNDS = 300,    // of 1000 live
    MILLION = 1000000,     // live
    MANY = 10000,          // spawned at once
    MANY_ROUNDS = 50,      // of them
    CHAINS = 300,          // of TASKS
    YIELDS = 1000,         // of each of TASKS
    TURNS = 100000,        // there and back, of two within a thread
    BALLS = 5000,          // there and back, between two threads
    WAKES = 5000,          // each awaited
    WAKES_FLOOD = 2000000, // of all senders together
    JOBS = 5000,           // one after the other
    AT_ONCE = 256,         // jobs of a submitter
    AT_ONCE_ROUNDS = 800,  // of all submitters together
    SUBMITTERS_MAX = 16,
    TIMERS = 2000000,
    SLEEPERS = 100000,
    SLEEPING_THREADS = 10000, // as tasks with a stack
    FAR_MS = 3600000,         // a timer that does not end here
};

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
 * and not to be seen in the peer's code. `axes` is what changes its figures. */
static inline int
peer_main(const struct bench_workload *const *workloads, const char *subject,
          void (*serve)(void), const char *axes, int argc, char **argv)
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
            subject, "the peer's own way, with TCP_NODELAY",
            "what an application does with a message", axes};

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

enum {
    NAPPERS = 100,
    NAPS = 50,             // of each
    NAPS_QUICK = 10,       // still enough for p99
    NAP_STALL_EVERY = 100, // stalls: after so many naps one blocks its thread
    NAP_STALL_NS = 1000000,
};

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

static inline unsigned
nap_ms(unsigned napper, unsigned nap)
{
    return 1 + (napper + nap) % 10;
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

/* --- timers --- */

/* When the i-th of a million is to end: out of order, in the next hour but
 * one. */
static inline uint64_t
timer_far_ms(uint64_t i)
{
    return FAR_MS + i * UINT64_C(2654435761) % FAR_MS;
}

/* --- memory --- */

/* Bytes of this process that are resident, without what was freed. */
static inline double
peer_resident(void)
{
    unsigned long size = 0, pages = 0;
    FILE *f;

    (void)malloc_trim(0);
    f = fopen("/proc/self/statm", "re");
    bench_must(f != NULL && fscanf(f, "%lu %lu", &size, &pages) == 2, "statm");
    fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* Metric "memory": what `grow` adds to a process, over `count`. In a child, for
 * which no memory is left over from before, and which frees nothing. */
static inline void
peer_memory(struct bench_run *r, void (*grow)(void), unsigned count)
{
    double before, each = 0;
    int fds[2];
    pid_t pid;

    bench_must(pipe(fds) == 0, "a pipe");
    pid = fork();
    bench_must(pid >= 0, "a child");
    if (pid == 0) {
        before = peer_resident();
        grow();
        each = (peer_resident() - before) / count;
        _exit(write(fds[1], &each, sizeof each) != sizeof each);
    }
    close(fds[1]);
    bench_must(read(fds[0], &each, sizeof each) == sizeof each &&
                   waitpid(pid, NULL, 0) == pid,
               "the child's figure");
    close(fds[0]);
    bench_value(r, "memory", "B", each);
}

/* --- wake_cross: threads that wake a loop --- */

enum { CROSSING_THREADS_MAX = 4 };

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
    pthread_t threads[CROSSING_THREADS_MAX];
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
