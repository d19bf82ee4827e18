/* SPDX-License-Identifier: MIT */
/*
 * tests/pool_test.c - no job is lost, none runs twice, whatever comes between.
 *
 * What a policy decides is tests/elastic_test.c's; here policies only bring the
 * pool into the state that a promise is about.
 */

#include "pool_rig.h"

enum {
    ROUNDS = 2000,
    SUBMITTERS = 4,
    JOBS = 3000, // of one submitter
};

/* --- jobs are run --- */

static void
job_runs_on_a_thread_of_the_pool(void)
{
    struct poni_pool *p = rig_elastic(0, 4, PONS_S, 0);
    struct work w;

    work_init(&w, 0);
    CHECK(poni_pool_current_job() == NULL);
    work_submit(p, &w);
    work_await(&w);
    CHECK(w.thread != gettid());
    CHECK(w.current == &w.job);
    CHECK_EQ(rig_figures(p).jobs, 1);
    CHECK_EQ(rig_figures(p).completed, 1);
    CHECK_EQ(rig_figures(p).threads, 1);
    rig_close(p);
}

static void
jobs_of_a_class_run_in_order(void)
{
    struct poni_pool *p = rig_fixed(1);
    struct work first, w[5];

    work_occupy(p, &first);
    for (int i = 0; i < 5; i++) {
        work_init(&w[i], 1);
        work_submit(p, &w[i]);
    }
    CHECK_EQ(rig_figures(p).queued, 5);
    work_finish(&first);
    for (int i = 0; i < 5; i++) {
        rig_wait(&w[i].begun);
        for (int j = i + 1; j < 5; j++)
            CHECK_EQ(w[j].ran, 0);
        work_finish(&w[i]);
    }
    rig_close(p);
}

struct crowd {
    struct poni_pool *pool;
    struct count {
        struct pons_job job;
        struct crowd *crowd;
        int ran, dones;
    } jobs[JOBS];
    int left; // atomic
    sem_t over;
};

static int64_t
crowd_run(void *arg)
{
    struct count *c = arg;

    return __atomic_add_fetch(&c->ran, 1, __ATOMIC_RELAXED);
}

static void
crowd_done(struct pons_job *job)
{
    struct count *c = pons_container_of(job, struct count, job);
    struct crowd *crowd = c->crowd;

    __atomic_add_fetch(&c->dones, 1, __ATOMIC_RELAXED);
    if (__atomic_sub_fetch(&crowd->left, 1, __ATOMIC_ACQ_REL) == 0)
        sem_post(&crowd->over);
}

static void *
crowd_submit(void *arg)
{
    struct crowd *c = arg;

    for (int i = 0; i < JOBS; i++)
        CHECK_EQ(poni_pool_submit(c->pool, &c->jobs[i].job, 0), 0);
    return NULL;
}

static struct crowd *
crowd_new(struct poni_pool *p)
{
    struct crowd *c = calloc(1, sizeof *c);

    CHECK(c != NULL);
    c->pool = p;
    c->left = JOBS;
    sem_init(&c->over, 0, 0);
    for (int i = 0; i < JOBS; i++) {
        c->jobs[i].crowd = c;
        c->jobs[i].job = (struct pons_job){.fn = crowd_run,
                                           .arg = &c->jobs[i],
                                           .done = crowd_done,
                                           .job_class = i % 3 == 0};
    }
    return c;
}

static void
stress(struct poni_pool *p)
{
    struct crowd *c[SUBMITTERS];
    pthread_t threads[SUBMITTERS];

    for (int i = 0; i < SUBMITTERS; i++) {
        c[i] = crowd_new(p);
        CHECK_EQ(pthread_create(&threads[i], NULL, crowd_submit, c[i]), 0);
    }
    for (int i = 0; i < SUBMITTERS; i++) {
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
        rig_wait(&c[i]->over);
    }
    CHECK_EQ(rig_figures(p).completed, SUBMITTERS * JOBS);
    CHECK_EQ(rig_figures(p).queued, 0);
    rig_close(p);
    for (int i = 0; i < SUBMITTERS; i++) {
        for (int j = 0; j < JOBS; j++) {
            CHECK_EQ(c[i]->jobs[j].ran, 1);
            CHECK_EQ(c[i]->jobs[j].dones, 1);
        }
        free(c[i]);
    }
}

static void
every_job_of_many_submitters_runs_once(void)
{
    stress(rig_elastic(0, 64, PONS_S, 0));
    stress(rig_elastic(1, 3, 1, 0)); // threads come and go
    stress(rig_fixed(2));
}

static void *
crowd_cancel(void *arg)
{
    struct crowd *c = arg;

    for (int i = 0; i < JOBS; i++) {
        CHECK_EQ(poni_pool_submit(c->pool, &c->jobs[i].job, 0), 0);
        while (pons_now() < c->jobs[i].job.queued_ns + (uint64_t)(i % 64) * 100)
            continue; // so that cancels meet jobs at all ages up to a wake's
        (void)poni_pool_cancel(c->pool, &c->jobs[i].job);
    }
    return NULL;
}

static void
cancelled_job_ends_once_at_any_moment(void)
{
    struct poni_pool *p = rig_elastic(0, 3, 1000, 0);
    struct crowd *c[2];
    pthread_t thread;

    for (int i = 0; i < 2; i++)
        c[i] = crowd_new(p);
    CHECK_EQ(pthread_create(&thread, NULL, crowd_cancel, c[0]), 0);
    (void)crowd_cancel(c[1]);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    for (int i = 0; i < 2; i++)
        rig_wait(&c[i]->over);
    rig_close(p);
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < JOBS; j++) {
            const struct count *n = &c[i]->jobs[j];

            CHECK_EQ(n->dones, 1);
            CHECK_EQ(n->ran, poni_job_ran(&n->job));
            CHECK_EQ(n->job.result, n->ran ? 1 : -ECANCELED);
        }
        free(c[i]);
    }
}

/* --- no job is stranded --- */

/* tokio #8056: a thread that had been claimed looked idle still. */
static void
claimed_thread_is_not_claimed_again(void)
{
    struct poni_pool *p = rig_elastic(0, 2, PONS_S, 0);
    struct work long_one, short_one;

    for (int i = 0; i < ROUNDS; i++) {
        work_init(&long_one, 1);
        work_init(&short_one, 0);
        work_submit(p, &long_one);
        work_submit(p, &short_one);
        work_await(&short_one); // whoever runs the long one
        work_finish(&long_one);
    }
    CHECK(rig_figures(p).threads <= 2);
    rig_close(p);
}

static void
one_thread_runs_all_that_waits(void)
{
    struct poni_pool *p = rig_fixed(1);
    struct work long_one, w[3];

    for (int i = 0; i < ROUNDS; i++) {
        work_init(&long_one, 1);
        work_submit(p, &long_one);
        for (int j = 0; j < 3; j++) {
            work_init(&w[j], 0);
            work_submit(p, &w[j]);
        }
        work_finish(&long_one);
        for (int j = 0; j < 3; j++)
            work_await(&w[j]);
    }
    CHECK_EQ(rig_figures(p).threads, 1);
    rig_close(p);
}

/* --- the system refuses threads --- */

static void
without_any_thread_a_job_is_refused(void)
{
    struct poni_pool *p = rig_elastic(0, 4, PONS_S, 0);
    struct work w;

    work_init(&w, 0);
    rig_set_refuse(1);
    CHECK_EQ(poni_pool_submit(p, &w.job, 0), -EAGAIN);
    CHECK_HAS(pons_last_error(), "no thread");
    CHECK_EQ(w.dones, 0);
    CHECK_EQ(rig_figures(p).refused, 1);
    CHECK_EQ(rig_figures(p).jobs, 0);
    CHECK_EQ(rig_figures(p).threads, 0);
    rig_set_refuse(0);
    work_submit(p, &w);
    work_await(&w);
    rig_close(p);
}

static void
with_some_threads_a_job_waits(void)
{
    struct poni_pool *p = rig_elastic(0, 4, PONS_S, 0);
    struct work first, w;

    work_occupy(p, &first);
    rig_set_refuse(1);
    work_init(&w, 0);
    work_submit(p, &w);
    CHECK_EQ(rig_figures(p).queued, 1);
    CHECK_EQ(rig_figures(p).threads, 1);
    work_finish(&first);
    work_await(&w);
    rig_close(p);
}

struct nest {
    struct poni_pool *pool;
    int depth;
    struct work inner;
};

static int64_t
nest_run(void *arg)
{
    struct nest *n = arg;
    struct nest *below = n + 1;

    if (n->depth == 0)
        return 42;
    work_init(&below->inner, 0);
    below->inner.job.fn = nest_run;
    below->inner.job.arg = below;
    below->pool = n->pool;
    below->depth = n->depth - 1;
    CHECK_EQ(poni_pool_submit(n->pool, &below->inner.job, 0), 0);
    poni_pool_wait_begin();
    rig_wait(&below->inner.ended);
    poni_pool_wait_end();
    return below->inner.job.result;
}

static int64_t
nest(struct poni_pool *p, int depth)
{
    struct nest *n = calloc((size_t)depth + 1, sizeof *n);
    int64_t result;

    CHECK(n != NULL);
    n->pool = p;
    n->depth = depth;
    work_init(&n->inner, 0);
    n->inner.job.fn = nest_run;
    n->inner.job.arg = n;
    work_submit(p, &n->inner);
    rig_wait(&n->inner.ended);
    result = n->inner.job.result;
    free(n);
    return result;
}

static void
job_that_waits_is_told_when_no_thread_is_left(void)
{
    struct poni_pool *p = rig_fixed(1);
    struct work first;

    work_occupy(p, &first); // so that a thread is there
    work_finish(&first);
    rig_set_refuse(1);
    CHECK_EQ(nest(p, 1), -EAGAIN);
    CHECK_EQ(rig_figures(p).threads, 1);
    rig_set_refuse(0);
    CHECK_EQ(nest(p, 1), 42);
    rig_close(p);
}

/* --- jobs that wait for jobs --- */

static void
nested_jobs_do_not_deadlock(void)
{
    struct poni_pool *p = rig_elastic(0, 1, PONS_S, 0);

    for (int i = 0; i < 20; i++)
        CHECK_EQ(nest(p, 20), 42);
    CHECK_EQ(rig_figures(p).waiting, 0);
    rig_close(p);
}

static void
waiting_outside_of_a_job_is_nothing(void)
{
    struct poni_pool *p = rig_fixed(1), *other = rig_fixed(1);

    poni_pool_wait_begin();
    CHECK_EQ(rig_figures(p).waiting, 0);
    poni_pool_wait_end();
    rig_close(other);
    rig_close(p);
}

/* --- the policy's word is not taken for more than it is worth --- */

static struct pons_pool_admission
wrong_on_submit(struct pons_pool_policy *p, const struct pons_pool_view *v,
                const struct pons_job *job)
{
    (void)p;
    (void)v;
    (void)job;
    return (struct pons_pool_admission){PONS_POOL_ENQUEUE, 99};
}

static uint32_t
wrong_pick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    (void)p;
    return v->completed % 3 == 0 ? PONS_POOL_NONE : 99;
}

static void
b2_jobs_run_whatever_the_policy_answers(void)
{
    struct pons_pool_ops ops = *rig_policy("inline"); // no threads; all leave
    struct poni_pool *p;
    struct work w[4];

    ops.on_submit = wrong_on_submit;
    ops.pick = wrong_pick;
    p = rig_open_ops(&ops, NULL);
    for (int round = 0; round < ROUNDS / 10; round++) {
        for (int i = 0; i < 4; i++) {
            work_init(&w[i], 0);
            work_submit(p, &w[i]);
        }
        for (int i = 0; i < 4; i++)
            work_await(&w[i]);
    }
    CHECK_EQ(nest(p, 5), 42);
    rig_close(p);
}

static struct pons_pool_admission
refusing_on_submit(struct pons_pool_policy *p, const struct pons_pool_view *v,
                   const struct pons_job *job)
{
    (void)p;
    (void)v;
    return (struct pons_pool_admission){PONS_POOL_REFUSE, job->job_class};
}

static void
b3_refused_job_is_ebusy(void)
{
    struct pons_pool_ops ops = *rig_policy("inline");
    struct poni_pool *p;
    struct work w;

    ops.on_submit = refusing_on_submit;
    p = rig_open_ops(&ops, NULL);
    work_init(&w, 0);
    w.job.name = "hash_password";
    CHECK_EQ(poni_pool_submit(p, &w.job, 1), -EBUSY);
    CHECK_HAS(pons_last_error(), "hash_password");
    CHECK_EQ(w.dones, 0);
    CHECK_EQ(rig_figures(p).refused, 1);
    rig_close(p);
}

/* --- inline --- */

static void
inline_runs_jobs_on_their_submitter(void)
{
    struct poni_pool *p = rig_open_ops(rig_policy("inline"), NULL);
    struct work w;

    work_init(&w, 0);
    CHECK_EQ(poni_pool_submit(p, &w.job, 1), 0);
    CHECK_EQ(w.dones, 1);
    work_await(&w);
    CHECK_EQ(w.thread, gettid());
    CHECK(w.current == &w.job);
    CHECK(poni_pool_current_job() == NULL);
    CHECK_EQ(rig_figures(p).completed, 1);

    work_init(&w, 0);
    work_submit(p, &w); // it may not
    work_await(&w);
    CHECK(w.thread != gettid());
    rig_close(p);
}

#define TEST(name)  \
    {               \
#name, name \
    }

static const struct unit_test tests[] = {
    TEST(job_runs_on_a_thread_of_the_pool),
    TEST(jobs_of_a_class_run_in_order),
    TEST(every_job_of_many_submitters_runs_once),
    TEST(cancelled_job_ends_once_at_any_moment),
    TEST(claimed_thread_is_not_claimed_again),
    TEST(one_thread_runs_all_that_waits),
    TEST(without_any_thread_a_job_is_refused),
    TEST(with_some_threads_a_job_waits),
    TEST(job_that_waits_is_told_when_no_thread_is_left),
    TEST(nested_jobs_do_not_deadlock),
    TEST(waiting_outside_of_a_job_is_nothing),
    TEST(b2_jobs_run_whatever_the_policy_answers),
    TEST(b3_refused_job_is_ebusy),
    TEST(inline_runs_jobs_on_their_submitter),
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("pool", tests, argc, argv);
}
