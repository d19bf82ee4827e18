/* SPDX-License-Identifier: MIT */
/*
 * kit/pool_refusal.c - B3: a refusal has a reason, and is a result.
 */

#include "kit.h"

#include <errno.h>
#include <stdlib.h>

#include "core/atomic.h"
#include "work.h"

enum {
    ROUNDS = 1000,
    OVERLOAD = 10000, // jobs that wait, if the policy lets them
};

static void
refusal_of_nobody(struct kit *k)
{
    struct poni_pool *p = kit_pool_open(k);

    for (int i = 0; i < ROUNDS; i++) {
        struct kit_work w;

        kit_work_init(&w, 0);
        w.job.job_class = (uint32_t)i % PONS_CLASSES;
        kit_check_result(poni_pool_submit(p, &w.job, 0), 0,
                         "job %d, of class %u, submitted while no other is "
                         "there",
                         i, w.job.job_class);
        kit_work_await(&w);
    }
    kit_pool_close(p);
}

static void
refusal_or_run(struct kit *k)
{
    struct kit_work *w = calloc(OVERLOAD, sizeof *w), first;
    int *answers = calloc(OVERLOAD, sizeof *answers), refused = 0;
    struct poni_pool *p;

    (void)kit_pool_bound(k, 1);
    p = kit_pool_open(k);
    kit_work_occupy(p, &first);
    refused = (int)kit_pool_figures(p).refused;
    for (int i = 0; i < OVERLOAD; i++) {
        kit_work_init(&w[i], 0);
        answers[i] = poni_pool_submit(p, &w[i].job, 0);
        if (answers[i] < 0)
            kit_check_result(answers[i], -EBUSY, "a job that is refused");
        refused += answers[i] < 0;
    }
    kit_work_finish(&first);
    for (int i = 0; i < OVERLOAD; i++)
        if (answers[i] == 0)
            kit_work_await(&w[i]);
        else
            KIT_EQ(poni_load_relaxed(&w[i].ran), 0,
                   "how often a refused job ran");
    KIT_EQ(kit_pool_figures(p).refused, refused,
           "refused jobs, in the figures");
    kit_pool_close(p);
    free(answers);
    free(w);
}

static void
refusal_is_over(struct kit *k)
{
    struct poni_pool *p = kit_pool_open(k);
    struct kit_work w;

    kit_work_init(&w, 0);
    if (kit_work_submit_refused(p, &w) == 0)
        kit_wait(&w.ended);
    for (int i = 0; i < ROUNDS; i++) {
        kit_work_init(&w, 0);
        kit_check_result(poni_pool_submit(p, &w.job, 0), 0,
                         "job %d after the system refused a thread, and does "
                         "no longer",
                         i);
        kit_work_await(&w);
    }
    kit_pool_close(p);
}

const struct kit_test kit_pool_refusal_tests[] = {
    {"B3", "an empty pool takes any job", KIT_ALL, NULL, refusal_of_nobody},
    {"B3", "after the system refused a thread jobs are taken", KIT_ALL, NULL,
     refusal_is_over},
    {"B3", "under overload a job is run or refused, not both", KIT_ALL, NULL,
     refusal_or_run},
    {0},
};
