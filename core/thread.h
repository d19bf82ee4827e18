/* SPDX-License-Identifier: MIT */
#ifndef PONI_THREAD_H
#define PONI_THREAD_H

/*
 * core/thread.h - our threads block all signals (P10).
 */

#include <pthread.h>

/* pthread_create() with all signals blocked in the new thread. 0 or a positive
 * errno, as that. */
int poni_thread_start(pthread_t *thread, void *(*run)(void *), void *arg);

#endif /* PONI_THREAD_H */
