/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/hangs.c - breaks R8: a wake rings no bell, and signals are
 * blocked, so that no alarm(2) ends the wait. Meanwhile threads that spin queue
 * for each other's processor, which is nobody's patience.
 */

#include "wrong.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

enum { SPINNERS = 4 };

static int woken;

static int
hangs_wake(struct pons_poller *p)
{
    (void)p;
    woken = 1;
    return 0;
}

static void *
hangs_spin(void *arg)
{
    for (;;)
        *(volatile int *)arg = 1;
    return NULL;
}

static void
hangs_for_ever(void)
{
    pthread_t thread;

    for (int i = 0; i < SPINNERS; i++)
        pthread_create(&thread, NULL, hangs_spin, &woken);
    for (;;)
        pause();
}

static int
hangs_wait(struct pons_poller *p, struct pons_ready *ready, unsigned cap,
           uint64_t deadline_ns)
{
    sigset_t all, before;
    int n;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    if (woken && deadline_ns == PONS_NEVER)
        hangs_for_ever();
    n = poll_poller_wait(p, ready, cap, deadline_ns);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return n;
}

WRONG_POLLER("hangs", wrong_ops.wake = hangs_wake, wrong_ops.wait = hangs_wait)
