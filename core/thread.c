/* SPDX-License-Identifier: MIT */
/*
 * core/thread.c - see core/thread.h. The mask is inherited, so it is the
 * caller's for a moment: a thread that blocked them itself would have one
 * without.
 */

#include "thread.h"

#include <signal.h>

int
poni_thread_start(pthread_t *thread, void *(*run)(void *), void *arg)
{
    sigset_t all, before;
    int err;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    err = pthread_create(thread, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return err;
}
