/* SPDX-License-Identifier: MIT */
#ifndef CREW_H
#define CREW_H

/*
 * tests/crew.h - several threads that start at one moment and end together.
 *
 *     crew_run(4, work);      // work(0) ... work(3), each on a thread of its
 * own
 *
 * Where they meet again in the middle: crew_meet(), called by all of them.
 */

#include <pthread.h>
#include <sched.h>

#include "unit.h"

enum { CREW_MAX = 8 };

static pthread_barrier_t crew_barrier;

struct crew_member {
    pthread_t thread;
    void (*work)(int who);
    int who;
};

static inline void
crew_meet(void)
{
    (void)pthread_barrier_wait(&crew_barrier);
}

static inline void *
crew_main(void *arg)
{
    struct crew_member *m = arg;

    crew_meet();
    m->work(m->who);
    return NULL;
}

static inline void
crew_run(int count, void (*work)(int who))
{
    struct crew_member crew[CREW_MAX];

    CHECK_EQ(pthread_barrier_init(&crew_barrier, NULL, (unsigned)count), 0);
    for (int i = 0; i < count; i++) {
        crew[i] = (struct crew_member){.work = work, .who = i};
        CHECK_EQ(pthread_create(&crew[i].thread, NULL, crew_main, &crew[i]), 0);
    }
    for (int i = 0; i < count; i++)
        CHECK_EQ(pthread_join(crew[i].thread, NULL), 0);
    pthread_barrier_destroy(&crew_barrier);
}

/* Another thread's turn: for loops that wait on a word. */
static inline void
crew_relax(void)
{
    (void)sched_yield();
}

#endif /* CREW_H */
