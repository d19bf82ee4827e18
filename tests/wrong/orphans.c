/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/orphans.c - breaks R14: close leaves a thread behind.
 */

#include "adapted.h"

#include <pthread.h>

static void *
orphans_wait(void *arg)
{
    for (;;)
        pause();
    return arg;
}

static void
orphans_close(struct pons_reactor *r)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, orphans_wait, NULL) == 0)
        pthread_detach(thread);
    adapter_close(r);
}

REACTOR("orphans", adapted_ops.close = orphans_close)
