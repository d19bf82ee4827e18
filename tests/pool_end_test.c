/* SPDX-License-Identifier: MIT */
/*
 * tests/pool_end_test.c - how jobs and pools end: cancel, done(), shutdown.
 */

#include "pool_rig.h"

#include "core/atomic.h"

enum { ROUNDS = 2000 };

/* --- cancel --- */

static void
queued_job_is_cancelled(void)
{
    struct poni_pool *p = rig_fixed(1);
    struct work first, w[4];

    work_occupy(p, &first);
    for (int i = 0; i < 4; i++) {
        work_init(&w[i], 0);
        work_submit(p, &w[i]);
    }
    CHECK_EQ(poni_pool_cancel(p, &w[1].job), 1); // from the middle,
    work_await_refusal(&w[1], -ECANCELED);
    CHECK_EQ(poni_pool_cancel(p, &w[0].job), 1); // the front,
    work_await_refusal(&w[0], -ECANCELED);
    CHECK_EQ(poni_pool_cancel(p, &w[3].job), 1); // the end
    work_await_refusal(&w[3], -ECANCELED);
    CHECK_EQ(poni_pool_cancel(p, &w[3].job), 0);
    CHECK_EQ(rig_figures(p).queued, 1);
    work_finish(&first);
    work_await(&w[2]);
    rig_close(p);
}

static void
holding_done(struct pons_job *job)
{
    struct work *w = pons_container_of(job, struct work, job);

    sem_post(&w->ended);
    rig_wait(&w->go);
}

/* The thread is idle from before done() on, and so can be given a job that it
 * has not begun. */
static void
given_job_is_cancelled_before_it_begins(void)
{
    struct poni_pool *p = rig_fixed(1);
    struct work holder, w, next;

    work_init(&holder, 0);
    holder.job.done = holding_done;
    work_submit(p, &holder);
    rig_wait(&holder.ended);
    work_init(&w, 0);
    work_submit(p, &w);
    CHECK_EQ(rig_figures(p).queued, 0);
    CHECK_EQ(poni_pool_cancel(p, &w.job), 1);
    work_await_refusal(&w, -ECANCELED);
    work_init(&next, 0);
    work_submit(p, &next);
    CHECK_EQ(next.ran, 0);
    work_release(&holder);
    work_await(&next);
    CHECK_EQ(rig_figures(p).threads, 1);
    rig_close(p);
}

static int64_t
asked_run(void *arg)
{
    struct work *w = arg;

    sem_post(&w->begun);
    while (!poni_job_asked(poni_pool_current_job()))
        sched_yield();
    return 42;
}

static void
running_job_is_asked_to_end(void)
{
    struct poni_pool *p = rig_fixed(1);
    struct work w;

    work_init(&w, 0);
    w.job.fn = asked_run;
    w.ran = 1;
    work_submit(p, &w);
    rig_wait(&w.begun);
    CHECK_EQ(poni_pool_cancel(p, &w.job), 0);
    CHECK_EQ(poni_pool_cancel(p, &w.job), 0);
    work_await(&w);
    CHECK_EQ(poni_pool_cancel(p, &w.job), 0);
    rig_close(p);
}

static void
freeing_done(struct pons_job *job)
{
    struct work *w = pons_container_of(job, struct work, job);
    struct work *next = (struct work *)w->job.result;
    struct poni_pool *p = w->job.arg;

    free(w);
    CHECK_EQ(poni_pool_submit(p, &next->job, 0), 0); // no lock is held
}

static struct work *freeing_next;

static int64_t
freeing_run(void *arg)
{
    (void)arg;
    return (int64_t)(intptr_t)freeing_next;
}

static void
done_may_free_the_job_and_submit_another(void)
{
    struct poni_pool *p = rig_fixed(1);
    struct work last, *w;

    for (int i = 0; i < ROUNDS; i++) {
        w = malloc(sizeof *w);
        CHECK(w != NULL);
        work_init(w, 0);
        work_init(&last, 0);
        freeing_next = &last;
        w->job.fn = freeing_run;
        w->job.arg = p;
        w->job.done = freeing_done;
        work_submit(p, w);
        work_await(&last);
    }
    rig_close(p);
}

/* --- shutdown --- */

static void
shutdown_cancels_queued_and_asks_running_jobs(void)
{
    struct poni_pool *p = rig_fixed(1);
    struct work w, queued[3], late;
    char names[64] = "x";

    work_init(&w, 0);
    w.job.fn = asked_run;
    w.ran = 1;
    work_submit(p, &w);
    rig_wait(&w.begun);
    for (int i = 0; i < 3; i++) {
        work_init(&queued[i], 0);
        queued[i].job.job_class = i % 2 ? PONS_CLASS_SLOW : PONS_CLASS_NORMAL;
        work_submit(p, &queued[i]);
    }
    CHECK_EQ(poni_pool_shutdown(p, PONS_NEVER, names, sizeof names), 0);
    CHECK_EQ(names[0], '\0');
    CHECK_EQ(w.dones, 1);
    work_await(&w);
    for (int i = 0; i < 3; i++)
        work_await_refusal(&queued[i], -ECANCELED);
    work_init(&late, 0);
    CHECK_EQ(poni_pool_submit(p, &late.job, 1), -ESHUTDOWN);
    CHECK_HAS(pons_last_error(), "shutting down");
    CHECK_EQ(late.dones, 0);
    CHECK_EQ(poni_pool_free(p), 1);
}

static void
shutdown_cancels_what_was_given_and_has_not_begun(void)
{
    struct poni_pool *p = rig_fixed(1);
    struct work holder, w;
    char names[64];

    work_init(&holder, 0);
    holder.job.done = holding_done;
    work_submit(p, &holder);
    rig_wait(&holder.ended);
    work_init(&w, 0);
    work_submit(p, &w);
    CHECK_EQ(poni_pool_shutdown(p, 0, names, sizeof names), 0);
    work_await_refusal(&w, -ECANCELED);
    work_release(&holder);
    CHECK_EQ(poni_pool_free(p), 1);
}

/* The thread was called, and finds neither the job nor a pool that is open. */
static void
shutdown_meets_a_thread_whose_job_was_cancelled(void)
{
    for (int i = 0; i < ROUNDS / 2; i++) {
        struct poni_pool *p = rig_fixed(1);
        struct work w;

        work_init(&w, 0);
        work_submit(p, &w);
        work_await(&w);
        work_init(&w, 0);
        work_submit(p, &w);
        if (poni_pool_cancel(p, &w.job))
            work_await_refusal(&w, -ECANCELED);
        else
            work_await(&w);
        for (int pause = 0; pause < i * 10; pause++)
            poni_pause(); // so that it is met at all ages
        rig_close(p);
    }
}

static void
jobs_left_running_are_counted_and_named(void)
{
    struct poni_pool *p = rig_fixed(3);
    struct work hash, unnamed, late;
    char names[64], cut[8];

    work_init(&hash, 1);
    hash.job.name = "hash_password";
    work_submit(p, &hash);
    rig_wait(&hash.begun);
    work_occupy(p, &unnamed);
    CHECK_EQ(poni_pool_shutdown(p, pons_now(), names, sizeof names), 2);
    CHECK_HAS(names, "hash_password");
    CHECK_HAS(names, "unnamed");
    CHECK_HAS(names, ",");
    CHECK_EQ(strlen(names), strlen("hash_password, unnamed"));
    CHECK_EQ(poni_pool_shutdown(p, 0, cut, sizeof cut), 2);
    CHECK_EQ(strlen(cut), sizeof cut - 1);
    work_init(&late, 0);
    CHECK_EQ(poni_pool_submit(p, &late.job, 0), -ESHUTDOWN);
    CHECK_EQ(poni_pool_free(p), 0); // leaked: its threads are in it
    work_finish(&hash);
    CHECK_EQ(poni_pool_shutdown(p, pons_now(), names, sizeof names), 1);
    CHECK_EQ(strcmp(names, "unnamed"), 0);
    work_finish(&unnamed);
    rig_close(p);
}

struct inline_call {
    struct poni_pool *pool;
    struct work work;
};

static void *
inline_submit(void *arg)
{
    struct inline_call *c = arg;

    CHECK_EQ(poni_pool_submit(c->pool, &c->work.job, 1), 0);
    return NULL;
}

static void
shutdown_waits_for_a_job_on_its_submitter(void)
{
    struct poni_pool *p = rig_open_ops(rig_policy("inline"), NULL);
    struct inline_call call = {.pool = p};
    struct work *w = &call.work;
    pthread_t thread;
    char names[64];

    work_init(w, 1);
    w->job.name = "inline_job";
    CHECK_EQ(pthread_create(&thread, NULL, inline_submit, &call), 0);
    rig_wait(&w->begun);
    CHECK_EQ(poni_pool_cancel(p, &w->job), 0);
    CHECK(poni_job_asked(&w->job));
    CHECK_EQ(poni_pool_shutdown(p, pons_now(), names, sizeof names), 1);
    CHECK_EQ(strcmp(names, "inline_job"), 0);
    work_finish(w);
    rig_close(p);
    CHECK_EQ(pthread_join(thread, NULL), 0);
}

/* --- the pool's end during a submit --- */

static struct {
    struct poni_pool *pool;
    struct work first, second;
    pthread_t freer;
    int freed, freed_inside; // atomic
} late;

static void *
late_free(void *arg)
{
    rig_close(late.pool);
    __atomic_store_n(&late.freed, 1, __ATOMIC_SEQ_CST);
    return arg;
}

/* In the submit of `second`, whose thread has just been started. Were the pool
 * to go now, this is how long it would have for it. */
static void
late_started(void)
{
    uint64_t patience = pons_after_ns(50 * PONS_MS);

    rig_started = NULL;
    work_finish(&late.first);
    work_await(&late.second);
    CHECK_EQ(pthread_create(&late.freer, NULL, late_free, NULL), 0);
    while (!__atomic_load_n(&late.freed, __ATOMIC_SEQ_CST) &&
           pons_now() < patience)
        sched_yield();
    late.freed_inside = late.freed;
}

/* A job may be what gives up the last handle. */
static void
pool_stays_until_the_submit_has_returned(void)
{
    late.pool = rig_elastic(0, 4, PONS_S, 0);
    work_occupy(late.pool, &late.first);
    work_init(&late.second, 0);
    rig_started = late_started;
    work_submit(late.pool, &late.second);
    CHECK_EQ(pthread_join(late.freer, NULL), 0);
    CHECK(!late.freed_inside);
}

/* Its threads may be at anything: starting, looking, idle, leaving. */
static void
pool_may_end_at_any_moment(void)
{
    enum { POOLS = 200, WAITING = 6 };
    struct work w[WAITING];

    for (int i = 0; i < POOLS; i++) {
        struct poni_pool *p = rig_elastic(0, 4, PONS_S, 0);

        for (int n = 0; n < WAITING; n++) {
            work_init(&w[n], 0);
            work_submit(p, &w[n]);
        }
        for (int pause = 0; pause < i * 10; pause++)
            poni_pause();
        rig_close(p);
        for (int n = 0; n < WAITING; n++) {
            CHECK_EQ(w[n].dones, 1);
            CHECK_EQ(w[n].job.result, w[n].ran ? 42 : -ECANCELED);
        }
    }
}

#define TEST(name)  \
    {               \
#name, name \
    }

static const struct unit_test tests[] = {
    TEST(queued_job_is_cancelled),
    TEST(given_job_is_cancelled_before_it_begins),
    TEST(running_job_is_asked_to_end),
    TEST(done_may_free_the_job_and_submit_another),
    TEST(shutdown_cancels_queued_and_asks_running_jobs),
    TEST(shutdown_cancels_what_was_given_and_has_not_begun),
    TEST(shutdown_meets_a_thread_whose_job_was_cancelled),
    TEST(jobs_left_running_are_counted_and_named),
    TEST(pool_stays_until_the_submit_has_returned),
    TEST(shutdown_waits_for_a_job_on_its_submitter),
    TEST(pool_may_end_at_any_moment),
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("pool_end", tests, argc, argv);
}
