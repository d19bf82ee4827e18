/* SPDX-License-Identifier: MIT */
/*
 * kit/pool_end.c - B2 at the end of a pool: each job is accounted for.
 */

#include "kit.h"

#include <errno.h>
#include <string.h>

#include "core/atomic.h"
#include "pons/time.h"
#include "work.h"

enum { WAITING = 6, ROUNDS = 200 };

static void
end_of_jobs(struct kit *k)
{
    struct kit_work first, w[WAITING], late;
    struct poni_pool *p;
    char names[64];

    (void)kit_pool_bound(k, 1);
    p = kit_pool_open(k);
    kit_work_occupy(p, &first);
    for (int i = 0; i < WAITING; i++) {
        kit_work_init(&w[i], 1);
        w[i].job.job_class = (uint32_t)i % PONS_CLASSES;
        kit_work_submit(p, &w[i]);
    }
    KIT_WANT(poni_pool_shutdown(p, pons_now(), names, sizeof names) >= 1,
             "jobs that a shutdown leaves running: wanted 1 at least, found 0");
    kit_work_init(&late, 0);
    kit_check_result(poni_pool_submit(p, &late.job, 0), -ESHUTDOWN,
                     "a job after the shutdown");
    KIT_EQ(poni_load_relaxed(&late.dones), 0, "how often that job ended");
    kit_work_finish(&first);
    for (int i = 0; i < WAITING; i++) {
        kit_work_release(&w[i]); // without a limit it has begun
        kit_wait(&w[i].ended);
        kit_check_result(w[i].job.result,
                         poni_load_relaxed(&w[i].ran) ? WORK_ANSWER
                                                      : -ECANCELED,
                         "the result of a job that waited");
        KIT_EQ(poni_load_relaxed(&w[i].dones), 1, "how often it ended");
    }
    kit_pool_close(p);
}

/* Its threads may be at anything: starting, looking, idle, leaving. */
static void
end_at_any_moment(struct kit *k)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct poni_pool *p = kit_pool_open(k);
        struct kit_work w[WAITING];

        for (int n = 0; n < WAITING; n++) {
            kit_work_init(&w[n], 0);
            kit_work_submit(p, &w[n]);
            for (int pause = 0; n == WAITING - 1 && pause < i * 10; pause++)
                poni_pause();
        }
        kit_pool_close(p);
        for (int n = 0; n < WAITING; n++)
            KIT_EQ(w[n].dones, 1, "how often a job has ended after the pool");
    }
}

const struct kit_test kit_pool_end_tests[] = {
    {"B2", "a shutdown ends what waits and counts what runs", KIT_ALL, NULL,
     end_of_jobs},
    {"B2", "a pool may end at any moment", KIT_ALL, NULL, end_at_any_moment},
    {0},
};
