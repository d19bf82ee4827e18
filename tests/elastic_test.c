/* SPDX-License-Identifier: MIT */
/*
 * tests/elastic_test.c - what the policies elastic and fixed promise beyond the
 * rules of all (kit/pool_*.c): growth, shrinking, room beside slow jobs.
 */

#include "pool_rig.h"

enum { ROUNDS = 500 };

static void
threads_come_one_at_a_time_as_jobs_wait(void)
{
    struct poni_pool *p = rig_elastic(0, 3, PONS_S, 0);
    struct work w[4];

    CHECK_EQ(rig_figures(p).threads, 0);
    for (int i = 0; i < 3; i++) {
        work_occupy(p, &w[i]);
        CHECK_EQ(rig_figures(p).threads, i + 1);
    }
    work_init(&w[3], 0);
    work_submit(p, &w[3]);
    CHECK_EQ(rig_figures(p).queued, 1); // the limit
    CHECK_EQ(rig_figures(p).threads, 3);
    work_finish(&w[0]);
    work_await(&w[3]);
    work_finish(&w[1]);
    work_finish(&w[2]);
    rig_close(p);
}

static void
burst_gets_a_thread_for_each_job(void)
{
    enum { N = 20 };
    struct poni_pool *p = rig_elastic(0, 512, PONS_S, 0);
    struct work w[N];

    for (int i = 0; i < N; i++) {
        work_init(&w[i], 1);
        work_submit(p, &w[i]);
    }
    for (int i = 0; i < N; i++)
        rig_wait(&w[i].begun);
    for (int i = 0; i < N; i++)
        work_finish(&w[i]);
    rig_close(p);
}

/* --- growing and shrinking --- */

static void
await_threads(struct poni_pool *p, uint32_t n)
{
    while (rig_figures(p).threads != n)
        sched_yield();
}

static void
idle_thread_ends_after_its_keepalive(void)
{
    struct poni_pool *p = rig_elastic(0, 8, PONS_MS, 0);
    struct work w[4];

    for (int i = 0; i < 4; i++)
        work_occupy(p, &w[i]);
    for (int i = 0; i < 4; i++)
        work_finish(&w[i]);
    await_threads(p, 0);
    rig_close(p);
}

static void
min_threads_are_there_at_once_and_stay(void)
{
    struct poni_pool *p = rig_elastic(2, 4, 1, 0);
    struct work w[4];

    CHECK_EQ(rig_figures(p).threads, 2);
    for (int i = 0; i < 4; i++)
        work_occupy(p, &w[i]);
    CHECK_EQ(rig_figures(p).threads, 4);
    for (int i = 0; i < 4; i++)
        work_finish(&w[i]);
    await_threads(p, 2);
    rig_close(p);
}

static void
launch_interval_spaces_threads_and_strands_nobody(void)
{
    const uint64_t interval = 20 * PONS_MS;
    struct poni_pool *p = rig_elastic(0, 8, PONS_S, interval);
    uint64_t began = pons_now();
    struct work w[4];

    for (int i = 0; i < 4; i++) {
        work_init(&w[i], 1);
        work_submit(p, &w[i]);
    }
    for (int i = 0; i < 4; i++)
        rig_wait(&w[i].begun); // though nobody submits any more
    for (int i = 1; i < 4; i++)
        CHECK(w[i].begun_ns - began >= (uint64_t)i * interval);
    for (int i = 0; i < 4; i++)
        work_finish(&w[i]);
    rig_close(p);
}

static void
shutdown_does_not_wait_for_a_launch(void)
{
    struct poni_pool *p = rig_elastic(0, 8, PONS_S, 1000 * PONS_S);
    struct work first, second;
    char names[64];

    work_occupy(p, &first);
    work_init(&second, 0);
    work_submit(p, &second);
    CHECK_EQ(rig_figures(p).threads, 2);
    CHECK_EQ(poni_pool_shutdown(p, 0, names, sizeof names), 1);
    work_await_refusal(&second, -ECANCELED);
    work_finish(&first);
    rig_close(p);
}

static void
refusal_lowers_the_limit_until_a_thread_ends(void)
{
    struct poni_pool *p = rig_elastic(0, 8, PONS_MS, 0);
    struct work w[2], queued[5];
    int attempts;

    for (int i = 0; i < 2; i++)
        work_occupy(p, &w[i]);
    rig_set_refuse(1);
    attempts = rig_attempts;
    for (int i = 0; i < 5; i++) {
        work_init(&queued[i], 0);
        work_submit(p, &queued[i]);
    }
    CHECK_EQ(rig_attempts, attempts + 1);
    rig_set_refuse(0);
    for (int i = 0; i < 2; i++)
        work_finish(&w[i]);
    for (int i = 0; i < 5; i++)
        work_await(&queued[i]);
    await_threads(p, 0);
    for (int i = 0; i < 2; i++)
        work_occupy(p, &w[i]);
    work_occupy(p, &queued[0]); // a third
    work_finish(&queued[0]);
    for (int i = 0; i < 2; i++)
        work_finish(&w[i]);
    rig_close(p);
}

static void
min_above_max_is_refused(void)
{
    struct pons_config config = {
        {{"min", 8}, {"max", 4}, {"keepalive", 1}, {"launch_interval", 0}}};
    struct pons_pool_policy *policy;
    struct pons_reason reason;

    CHECK_EQ(rig_policy("elastic")->open(&policy, &config, &rig_host, &reason),
             -EINVAL);
    CHECK_HAS(reason.text, "min=8");
    CHECK_HAS(reason.text, "max=4");
}

/* --- fixed --- */

static void
eager_threads_are_there_at_once(void)
{
    struct pons_config config = {{{"threads", 3}, {"eager", 1}}};
    struct poni_pool *p = rig_open_ops(rig_policy("fixed"), &config);

    CHECK_EQ(rig_figures(p).threads, 3);
    rig_close(p);
    p = rig_fixed(3);
    CHECK_EQ(rig_figures(p).threads, 0);
    rig_close(p);
}

static void
submit_slow(struct poni_pool *p, struct work *w)
{
    work_init(w, 1);
    w->job.job_class = PONS_CLASS_SLOW;
    work_submit(p, w);
}

static void
slow_jobs_leave_room_for_others(void)
{
    struct poni_pool *p = rig_fixed(3);
    struct work slow[4], normal;

    for (int i = 0; i < 4; i++)
        submit_slow(p, &slow[i]);
    rig_wait(&slow[0].begun);
    rig_wait(&slow[1].begun);
    for (int i = 0; i < ROUNDS; i++) {
        work_init(&normal, 0);
        work_submit(p, &normal);
        work_await(&normal);
        CHECK_EQ(slow[2].ran + slow[3].ran, 0);
    }
    for (int i = 0; i < 4; i++)
        work_finish(&slow[i]);
    rig_close(p);
}

static void
single_fixed_thread_runs_slow_jobs(void)
{
    struct poni_pool *p = rig_fixed(1);
    struct work slow[2];

    for (int i = 0; i < 2; i++)
        submit_slow(p, &slow[i]);
    for (int i = 0; i < 2; i++)
        work_finish(&slow[i]);
    rig_close(p);
}

static void
classes_take_turns(void)
{
    struct poni_pool *p = rig_fixed(1);
    struct work first, normal[3], slow[3];

    work_occupy(p, &first);
    for (int i = 0; i < 3; i++) {
        work_init(&normal[i], 1);
        work_submit(p, &normal[i]);
    }
    for (int i = 0; i < 3; i++)
        submit_slow(p, &slow[i]);
    work_finish(&first);
    for (int i = 0; i < 3; i++) {
        rig_wait(&slow[i].begun);
        CHECK_EQ(normal[0].ran + normal[1].ran + normal[2].ran, i);
        work_finish(&slow[i]);
        rig_wait(&normal[i].begun);
        work_finish(&normal[i]);
    }
    rig_close(p);
}

/* --- what policies are told --- */

static const struct pons_pool_ops *honest;
static uint64_t last_now;

static void
check_view(const struct pons_pool_view *v)
{
    uint32_t busy = 0, queued = 0;

    for (int k = 0; k < PONS_CLASSES; k++) {
        busy += v->busy_class[k];
        queued += v->queued_class[k];
    }
    CHECK_EQ(v->size, sizeof *v);
    CHECK_EQ(v->threads, v->idle + busy);
    CHECK_EQ(queued > 0, v->oldest_ns > 0);
    CHECK(v->now_ns >= last_now);
    CHECK(v->processors >= 1);
    last_now = v->now_ns;
}

static struct pons_pool_admission
checked_on_submit(struct pons_pool_policy *p, const struct pons_pool_view *v,
                  const struct pons_job *job)
{
    check_view(v);
    return honest->on_submit(p, v, job);
}

static struct pons_pool_target
checked_on_tick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    check_view(v);
    return honest->on_tick(p, v);
}

static uint64_t
checked_on_idle(struct pons_pool_policy *p, const struct pons_pool_view *v,
                uint64_t parked_ns)
{
    check_view(v);
    CHECK(v->idle > 0);
    return honest->on_idle(p, v, parked_ns);
}

static uint32_t
checked_pick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    check_view(v);
    CHECK(v->queued_class[0] + v->queued_class[1] > 0);
    CHECK(v->idle > 0);
    return honest->pick(p, v);
}

static int running, most; // atomic

static int64_t
bound_run(void *arg)
{
    int n = __atomic_add_fetch(&running, 1, __ATOMIC_SEQ_CST);
    int seen = __atomic_load_n(&most, __ATOMIC_SEQ_CST);

    while (n > seen &&
           !__atomic_compare_exchange_n(&most, &seen, n, 0, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
        continue;
    sched_yield();
    ((struct work *)arg)->ran = 1;
    __atomic_sub_fetch(&running, 1, __ATOMIC_SEQ_CST);
    return 42;
}

static void *
submit_many(void *pool)
{
    enum { N = 32 }; // at a time
    struct work w[N];

    for (int round = 0; round < ROUNDS / 2; round++) {
        for (int i = 0; i < N; i++) {
            work_init(&w[i], 0);
            w[i].job.fn = bound_run;
            work_submit(pool, &w[i]);
        }
        for (int i = 0; i < N; i++)
            work_await(&w[i]);
    }
    return NULL;
}

static int64_t
waits_run(void *arg)
{
    struct work *w = arg;

    w->ran = 1;
    poni_pool_wait_begin();
    sem_post(&w->begun);
    rig_wait(&w->go);
    poni_pool_wait_end();
    return 42;
}

static void
view_is_true_at_every_question(void)
{
    enum { SUBMITTERS = 4 }; // whose clocks, read outside the lock, overtake
    struct pons_config config = {
        {{"min", 0}, {"max", 3}, {"keepalive", 1000}, {"launch_interval", 0}}};
    struct pons_pool_ops ops;
    pthread_t threads[SUBMITTERS];
    struct work waiter;
    struct poni_pool *p;

    honest = rig_policy("elastic");
    ops = *honest;
    ops.on_submit = checked_on_submit;
    ops.on_tick = checked_on_tick;
    ops.on_idle = checked_on_idle;
    ops.pick = checked_pick;
    p = rig_open_ops(&ops, &config);
    work_init(&waiter, 0);
    waiter.job.fn = waits_run;
    work_submit(p, &waiter);
    rig_wait(&waiter.begun);
    for (int i = 0; i < SUBMITTERS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, submit_many, p), 0);
    for (int i = 0; i < SUBMITTERS; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK(most <= 3);
    work_finish(&waiter);
    rig_close(p);
}

#define TEST(name)  \
    {               \
#name, name \
    }

static const struct unit_test tests[] = {
    TEST(threads_come_one_at_a_time_as_jobs_wait),
    TEST(burst_gets_a_thread_for_each_job),
    TEST(idle_thread_ends_after_its_keepalive),
    TEST(min_threads_are_there_at_once_and_stay),
    TEST(launch_interval_spaces_threads_and_strands_nobody),
    TEST(shutdown_does_not_wait_for_a_launch),
    TEST(refusal_lowers_the_limit_until_a_thread_ends),
    TEST(min_above_max_is_refused),
    TEST(eager_threads_are_there_at_once),
    TEST(slow_jobs_leave_room_for_others),
    TEST(single_fixed_thread_runs_slow_jobs),
    TEST(classes_take_turns),
    TEST(view_is_true_at_every_question),
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("elastic", tests, argc, argv);
}
