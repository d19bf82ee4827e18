/* SPDX-License-Identifier: MIT */
#ifndef PONI_RUNTIME_H
#define PONI_RUNTIME_H

/*
 * core/runtime.h - the seats, the pool, and what they share.
 *
 *     OPEN ---------> CLOSING ---------> STOPPED
 *          shutdown            drained, or its deadline
 *
 * handles counts the users' references; the last one shuts down. holds counts
 * who needs the memory: the handles together, streams with a home here,
 * workers.
 */

#include <pthread.h>

#include "catalog.h"
#include "pons/runtime.h"
#include "pool.h"
#include "seat.h"

/*
 * How it ends (core/shutdown.c):
 *
 *     OPEN ---> CLOSING ---> CLOSED ---> STOPPED
 *
 *   phase     a spawn from outside is   what is posted from outside
 *   CLOSING   born cancelled            is taken
 *   CLOSED    refused                   is taken
 *   STOPPED   refused                   is nobody's
 *
 * It stays CLOSED when the time is up and tasks are left, until they end.
 */
enum runtime_phase {
    RUNTIME_OPEN,
    RUNTIME_CLOSING,
    RUNTIME_CLOSED,
    RUNTIME_STOPPED,
};

enum shutdown_state {
    SHUTDOWN_NONE,
    SHUTDOWN_RUNS,
    SHUTDOWN_DONE, // `left` holds
};

enum { RUNTIME_LEFT_NAMES = 400 }; // bytes of names in shutdown's sentence

struct pons_runtime {
    /* Set once, before the first worker starts. */
    struct poni_seat *seats;
    unsigned seat_count, workers;
    uint64_t epoch; // of the process that made it (P10)
    struct poni_pool *pool;
    struct poni_settings settings;
    struct poni_catalog *catalog;
    struct poni_choice reactor, policy;
    struct poni_choice files; // entry NULL: the reactor's own choice
    pthread_t *threads;
    pthread_t maker;     // who drives seat 0 when there are no workers
    int worker0_is_main; // PONS_MAIN: the main thread is worker 0
    int files_on_pool;   // PONS_FILES means the pool: whatever the reactor can
    uint64_t reactor_caps;

    /* Atomics of their own. */
    uint32_t phase; // enum runtime_phase
    uint32_t stop;  // workers leave
    uint32_t handles, holds;
    uint32_t posting;    // threads that are posting, or spawning from outside
    uint32_t searchers;  // seats that look for work, or were rung to
    uint64_t sleepers;   // a bit per seat that sleeps or is about to
    uint32_t ends;       // tasks that ended since CLOSING; a futex
    uint32_t shutdown;   // enum shutdown_state; a futex
    uint64_t stop_by_ns; // the shutdown's deadline
    struct {
        uint64_t tasks;
        unsigned jobs;
        char names[RUNTIME_LEFT_NAMES]; // jobs, then tasks
    } left;

    /* The injection queue: tasks from other threads, and what overflows. */
    __attribute__((aligned(64))) uint32_t inject_lock;
    uint32_t inject_count; // read without the lock
    struct pons_task *inject, **inject_end;

    struct poni_slab slab; // of threads that sit on no seat
};

/* pons_runtime_new(); `main_is_worker`: the calling thread will be worker 0. */
int poni_runtime_make(struct pons_runtime **out,
                      const struct pons_settings *settings, int main_is_worker);

/* -EOWNERDEAD with the sentence in a forked child, else 0. */
int poni_runtime_check(const struct pons_runtime *rt);

/* `rt`, or the current one if it is NULL; NULL and a sentence if there is none.
 * Checks it, too: the error goes to `err`. */
struct pons_runtime *poni_runtime_or_current(struct pons_runtime *rt, int *err);

void poni_runtime_hold(struct pons_runtime *rt);
void poni_runtime_release(struct pons_runtime *rt);

/* Puts a task where any worker finds it. */
void poni_inject(struct pons_runtime *rt, struct pons_task *t);

/* Something was left that any seat may do: wakes one, if none is looking. */
void poni_notify_one(struct pons_runtime *rt);

/* A task has ended; shutdown may be waiting for the last. */
void poni_task_finished(struct pons_runtime *rt);

/* How many tasks have not ended: 0 is exact, more may be over. */
uint64_t poni_tasks_alive(struct pons_runtime *rt);

/* Seat 0 of a runtime without workers, if the calling thread may drive it and
 * does from now on (then call poni_unsit()); else NULL: also when it has
 * stopped. */
struct poni_seat *poni_sit(struct pons_runtime *rt);
void poni_unsit(struct poni_seat *s);

/* As poni_sit(), by any thread, as soon as the maker does not sit there; NULL
 * at the deadline. */
struct poni_seat *poni_sit_for_shutdown(struct pons_runtime *rt,
                                        uint64_t deadline_ns);

#endif /* PONI_RUNTIME_H */
