/* SPDX-License-Identifier: MIT */
/*
 * tests/new_pool_test.c - what the policy that `pons new pool` starts with says
 * of itself: growth, shrinking, turns, refusals. It is linked as it stands in
 * cli/new/pool/. That it keeps the rules is tests/new_test.py's.
 */

#include "pool_rig.h"

#define FOREVER (1000 * PONS_S) // longer than a test takes

extern const struct pons_plugin *const poni_builtin_template;

static struct poni_pool *
rig_new(uint64_t threads, uint64_t queue, uint64_t keepalive_ns)
{
    struct pons_config config = {
        {{"threads", threads}, {"queue", queue}, {"keepalive", keepalive_ns}}};

    return rig_open_ops(poni_builtin_template->engines[0].table, &config);
}

static void
each_job_gets_a_thread_up_to_the_limit(void)
{
    struct poni_pool *p = rig_new(3, 0, FOREVER);
    struct work w[3], queued;

    CHECK_EQ(rig_figures(p).threads, 0);
    for (int i = 0; i < 3; i++) {
        work_init(&w[i], 1);
        work_submit(p, &w[i]);
    }
    for (int i = 0; i < 3; i++)
        rig_wait(&w[i].begun);
    CHECK_EQ(rig_figures(p).threads, 3);
    work_init(&queued, 0);
    work_submit(p, &queued);
    CHECK_EQ(rig_figures(p).threads, 3);
    CHECK_EQ(rig_figures(p).queued, 1);
    work_finish(&w[0]);
    work_await(&queued);
    work_finish(&w[1]);
    work_finish(&w[2]);
    rig_close(p);
}

static void
an_idle_thread_takes_the_next_job(void)
{
    struct poni_pool *p = rig_new(8, 0, FOREVER);
    struct work w;

    for (int i = 0; i < 100; i++) {
        work_occupy(p, &w);
        work_finish(&w);
        CHECK_EQ(rig_figures(p).threads, 1);
    }
    rig_close(p);
}

static void
await_threads(struct poni_pool *p, uint32_t n)
{
    while (rig_figures(p).threads != n)
        sched_yield();
}

static void
an_idle_thread_ends_after_its_keepalive(void)
{
    const uint64_t keepalive = 20 * PONS_MS;
    struct poni_pool *p = rig_new(4, 0, keepalive);
    struct work w[4];
    uint64_t idle_since;

    for (int i = 0; i < 4; i++)
        work_occupy(p, &w[i]);
    idle_since = pons_now();
    for (int i = 0; i < 4; i++)
        work_finish(&w[i]);
    await_threads(p, 0);
    CHECK(pons_now() - idle_since >= keepalive);
    rig_close(p);
}

static void
jobs_beyond_the_queue_are_refused(void)
{
    struct poni_pool *p = rig_new(2, 1, FOREVER);
    struct work w[4];

    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 4; i++)
            work_init(&w[i], i < 2);
        for (int i = 0; i < 3; i++) // two run, or will, and one waits
            work_submit(p, &w[i]);
        CHECK_EQ(poni_pool_submit(p, &w[3].job, 0), -EBUSY);
        CHECK_EQ(w[3].dones, 0);
        work_finish(&w[0]);
        work_finish(&w[1]);
        work_await(&w[2]);
        work_submit(p, &w[3]);
        work_await(&w[3]);
    }
    rig_close(p);
}

static void
without_a_queue_none_is_refused(void)
{
    enum { MANY = 1000 };
    static struct work w[MANY];
    struct poni_pool *p = rig_new(2, 0, FOREVER);

    for (int i = 0; i < MANY; i++) {
        work_init(&w[i], 0);
        work_submit(p, &w[i]);
    }
    for (int i = 0; i < MANY; i++)
        work_await(&w[i]);
    CHECK(rig_figures(p).threads <= 2);
    rig_close(p);
}

static void
normal_and_slow_jobs_take_turns(void)
{
    struct poni_pool *p = rig_new(1, 0, FOREVER);
    struct work first, slow[3], normal[3];

    work_occupy(p, &first);
    for (int i = 0; i < 3; i++) {
        work_init(&slow[i], 0);
        slow[i].job.job_class = PONS_CLASS_SLOW;
        work_submit(p, &slow[i]);
    }
    for (int i = 0; i < 3; i++) {
        work_init(&normal[i], 0);
        work_submit(p, &normal[i]);
    }
    work_finish(&first);
    for (int i = 0; i < 3; i++) {
        work_await(&slow[i]);
        work_await(&normal[i]);
    }
    for (int i = 0; i < 3; i++) {
        CHECK(slow[i].begun_ns <= normal[i].begun_ns);
        CHECK(i == 0 || normal[i - 1].begun_ns <= slow[i].begun_ns);
    }
    rig_close(p);
}

#define TEST(name)  \
    {               \
#name, name \
    }

static const struct unit_test tests[] = {
    TEST(each_job_gets_a_thread_up_to_the_limit),
    TEST(an_idle_thread_takes_the_next_job),
    TEST(an_idle_thread_ends_after_its_keepalive),
    TEST(jobs_beyond_the_queue_are_refused),
    TEST(without_a_queue_none_is_refused),
    TEST(normal_and_slow_jobs_take_turns),
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("new_pool", tests, argc, argv);
}
