/* SPDX-License-Identifier: MIT */
/*
 * kit/pool_answer.c - B6 and B7: what a policy may answer.
 *
 * The core makes any answer safe; so one that is wrong shows here alone.
 */

#include "kit.h"

#include <unistd.h>

#include "spy.h"
#include "work.h"

enum { ROUNDS = 100 };

/* --- B6 --- */

static void
answer_to_submit(const struct pons_pool_view *v, struct pons_pool_admission a)
{
    (void)v;
    KIT_WANT(a.verdict <= PONS_POOL_RUN_HERE,
             "on_submit: wanted a verdict, found %u", a.verdict);
    KIT_WANT(a.verdict == PONS_POOL_REFUSE || a.klass < PONS_CLASSES,
             "on_submit: wanted a class below %d, found %u", PONS_CLASSES,
             a.klass);
}

static void
answer_to_tick(const struct pons_pool_view *v, struct pons_pool_target t)
{
    (void)v;
    KIT_EQ(t.reserved, 0, "on_tick: the reserved field");
}

static void
answer_to_pick(const struct pons_pool_view *v, uint32_t k)
{
    uint32_t busy = 0;

    for (int i = 0; i < PONS_CLASSES; i++)
        busy += v->busy_class[i];
    if (k == PONS_POOL_NONE)
        KIT_WANT(busy > 0, "pick: wanted a class while jobs wait and none "
                           "runs, found PONS_POOL_NONE");
    else
        KIT_WANT(k < PONS_CLASSES && v->queued_class[k] > 0,
                 "pick: wanted a class in which jobs wait, found %u (%u and "
                 "%u wait)",
                 k, v->queued_class[PONS_CLASS_NORMAL],
                 v->queued_class[PONS_CLASS_SLOW]);
}

static const struct kit_spy answer_spy = {
    .on_submit = answer_to_submit,
    .on_tick = answer_to_tick,
    .pick = answer_to_pick,
};

static void
answer_in_range(struct kit *k)
{
    struct poni_pool *p;

    kit_spy(&answer_spy);
    p = kit_pool_open(k);
    kit_pool_exercise(p);
    kit_pool_close(p);
}

/* With one thread most jobs wait. */
static void
answer_in_a_small_pool(struct kit *k)
{
    kit_pool_bounded(k, 1);
    answer_in_range(k);
}

/* --- B7 --- */

static void
answer_elsewhere(struct poni_pool *p, struct kit_work *w, int round)
{
    kit_work_init(w, 0);
    w->job.job_class = (uint32_t)round % PONS_CLASSES;
    if (poni_pool_submit(p, &w->job, 1) < 0)
        kit_skip("it refuses a job while another runs");
}

static void
answer_is_not_here(struct kit *k)
{
    struct kit_work busy, w[2];
    struct poni_pool *p;

    (void)kit_pool_bound(k, 1);
    p = kit_pool_open(k);
    for (int i = 0; i < ROUNDS; i++) {
        answer_elsewhere(p, &w[0], i);
        kit_work_await(&w[0]);
        KIT_WANT(w[0].thread != gettid(), "a job in an empty pool: wanted a "
                                          "thread of the pool's, found its "
                                          "submitter");
        kit_work_occupy(p, &busy);
        answer_elsewhere(p, &w[0], i);
        answer_elsewhere(p, &w[1], i);
        kit_work_finish(&busy);
        for (int n = 0; n < 2; n++) {
            kit_work_await(&w[n]);
            KIT_WANT(w[n].thread != gettid(), "a job in a full pool: wanted a "
                                              "thread of the pool's, found its "
                                              "submitter");
        }
    }
    kit_pool_close(p);
}

const struct kit_test kit_pool_answer_tests[] = {
    {"B6", "answers are what the header has", KIT_ALL, NULL, answer_in_range},
    {"B6", "the same with one thread", KIT_ALL, NULL, answer_in_a_small_pool},
    {"B7", "jobs do not run on their submitter", KIT_THREADS, NULL,
     answer_is_not_here},
    {0},
};
