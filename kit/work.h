/* SPDX-License-Identifier: MIT */
#ifndef KIT_WORK_H
#define KIT_WORK_H

/*
 * kit/work.h - for tests of pool policies: a pool of the core's on the policy
 * under test, and jobs whose course a test decides.
 *
 * A `work` says when it has begun and ended, and, if it is to block, goes on
 * only when it is released.
 */

#include <semaphore.h>

#include "core/pool.h"
#include "kit.h"

/* --- the policy, and pools on it --- */

/* 0, or what open answered. */
int kit_try_policy(struct kit *k, struct pons_pool_policy **out,
                   struct pons_reason *reason);
void kit_policy_close(struct kit *k, struct pons_pool_policy *policy);

struct poni_pool *kit_pool_open(struct kit *k);

/* Nothing runs; nothing of the pool is left. */
void kit_pool_close(struct poni_pool *p);

struct poni_pool_figures kit_pool_figures(struct poni_pool *p);

/* The pools to come have so many threads at most. 0: the policy has no option
 * for that (kit/work.c knows the names). */
int kit_pool_bound(struct kit *k, unsigned threads);

/* The same; without such an option the test is skipped. */
void kit_pool_bounded(struct kit *k, unsigned threads);

/* Jobs of all classes, waiting, cancelled and run: the policy under test is
 * asked all that there is to ask. */
void kit_pool_exercise(struct poni_pool *p);

/* --- jobs --- */

struct kit_work {
    struct pons_job job;
    sem_t begun, go, ended;
    int blocks;     // until `go` is posted
    int ran, dones; // atomic: how often
    pid_t thread;   // that it ran on
};

void kit_wait(sem_t *s);

enum { WORK_ANSWER = 42 }; // of each job

void kit_work_init(struct kit_work *w, int blocks);

/* Takes it for granted that the job is taken: skips the test if the policy
 * refuses it, which is its right. */
void kit_work_submit(struct poni_pool *p, struct kit_work *w);

/* The same from a thread that the system gives no thread; the answer. */
int kit_work_submit_refused(struct poni_pool *p, struct kit_work *w);

/* Until it has begun. A policy may take its time: it is asked on the way. */
void kit_work_await_begun(struct poni_pool *p, struct kit_work *w);

/* A new job that blocks, and has begun. */
void kit_work_occupy(struct poni_pool *p, struct kit_work *w);

/* The same; it is waiting for something else, so that its thread does not
 * count. */
void kit_work_occupy_waiting(struct poni_pool *p, struct kit_work *w);

void kit_work_release(struct kit_work *w);

/* It has ended, having run once. */
void kit_work_await(struct kit_work *w);
void kit_work_finish(struct kit_work *w);

/* It has ended with `err`, without having run. */
void kit_work_await_refusal(struct kit_work *w, int err);

#endif /* KIT_WORK_H */
