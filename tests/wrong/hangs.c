/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/hangs.c - breaks R8: a wake rings no bell, and signals are
 * blocked, so that no alarm(2) ends the wait.
 */

#include "wrong.h"

#include <signal.h>

static int
hangs_wake(struct pons_poller *p)
{
    (void)p;
    return 0;
}

static int
hangs_wait(struct pons_poller *p, struct pons_ready *ready, unsigned cap,
           uint64_t deadline_ns)
{
    sigset_t all, before;
    int n;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    n = poll_poller_wait(p, ready, cap, deadline_ns);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return n;
}

WRONG_POLLER("hangs", wrong_ops.wake = hangs_wake, wrong_ops.wait = hangs_wait)
