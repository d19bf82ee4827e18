/* SPDX-License-Identifier: MIT */
/*
 * bench/wake_cross.c - ordinary threads wake a task.
 */

#include <pthread.h>
#include <semaphore.h>

#include "bench.h"
#include "cell.h"
#include "counts.h"
#include "runtime.h"

struct crossing {
    struct pons_future base; // the receiver's

    /* Set before the first sender starts. */
    struct cell begun;       // the receiver's waker is there
    struct pons_waker waker; // of the receiver
    unsigned senders;
    uint64_t each; // wakes of one sender

    uint64_t arrived;         // the receiver's
    struct histogram *delays; // the receiver's; of a single sender's wakes
    sem_t taken;              // the receiver's answer to a single sender
    uint64_t sent_at;         // a single sender's, until it is answered
    __attribute__((aligned(64))) uint64_t sent; // and not yet taken; all
};

static enum pons_poll
crossing_poll(struct pons_future *f, struct pons_waker *w)
{
    struct crossing *c = pons_container_of(f, struct crossing, base);
    uint64_t n = poni_swap(&c->sent, 0); // pairs with crossing_send()'s add

    if (c->waker.ops == NULL) {
        pons_waker_set(&c->waker, w);
        cell_ring(&c->begun);
    }
    c->arrived += n;
    if (n > 0 && c->senders == 1) {
        histogram_record(c->delays, bench_now() - c->sent_at);
        sem_post(&c->taken);
    }
    f->result = 0;
    return c->arrived == c->each * c->senders ? PONS_READY : PONS_PENDING;
}

static const struct pons_future_ops crossing_ops = {
    .size = sizeof crossing_ops, .name = "crossing", .poll = crossing_poll};

static void *
crossing_send(void *arg)
{
    struct crossing *c = arg;

    for (uint64_t i = 0; i < c->each; i++) {
        if (c->senders == 1)
            c->sent_at = bench_now();
        (void)poni_add(&c->sent, 1); // publishes sent_at
        pons_waker_notify(&c->waker);
        while (c->senders == 1 && sem_wait(&c->taken) < 0)
            continue; // a signal
    }
    return NULL;
}

static void
crossing_run(struct bench_run *r, unsigned senders, uint64_t wakes)
{
    struct pons_runtime *rt = bench_runtime();
    struct crossing c = {.senders = senders, .each = wakes / senders};
    pthread_t threads[SENDERS];
    struct pons_task *task;

    c.delays = histogram_new();
    bench_must(c.delays != NULL && sem_init(&c.taken, 0, 0) == 0, "memory");
    pons_future_init(&c.base, &crossing_ops);
    cell_wait_init(&c.begun);
    bench_must(pons_spawn_future(rt, &c.base, &task) == 0 &&
                   pons_await(&c.begun.base) == 0,
               "the receiver");
    bench_start(r);
    for (unsigned i = 0; i < senders; i++)
        bench_must(pthread_create(&threads[i], NULL, crossing_send, &c) == 0,
                   "a thread");
    bench_must(pons_join(task, NULL) == 0, "join");
    bench_stop(r, c.arrived);
    if (senders == 1)
        bench_latencies(r, c.delays);
    for (unsigned i = 0; i < senders; i++)
        pthread_join(threads[i], NULL);
    pons_waker_drop(&c.waker);
    sem_destroy(&c.taken);
    histogram_free(c.delays);
    pons_runtime_unref(rt);
}

static void
one_to_one(struct bench_run *r)
{
    crossing_run(r, 1, bench_ops(r, WAKES));
}

static void
four_to_one(struct bench_run *r)
{
    crossing_run(r, SENDERS, bench_ops(r, WAKES_FLOOD));
}

static const struct bench_case cases[] = {
    {.name = "1 to 1", .run = one_to_one},
    {.name = "4 to 1", .run = four_to_one},
    {0},
};

static const struct bench_workload wake_cross_workload = {
    .name = "wake_cross",
    .subject = "pons",
    .measures = "waking a task from an ordinary thread",
    .how = "one thread wakes a stackless task and sleeps in a semaphore until "
           "the task has answered, and p50 to max are from the wake to the "
           "task; or four threads wake it as fast as they can, and it takes "
           "however many wakes have come",
    .silent = "how many of four threads' wakes became one; a worker that has "
              "slept for long",
    .axes = BENCH_REACTOR | BENCH_WORKERS,
    .cases = cases,
    .spread = 1,
};

int
main(int argc, char **argv)
{
    return bench_main(
        (const struct bench_workload *const[]){&wake_cross_workload, NULL},
        argc, argv);
}
