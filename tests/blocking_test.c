/* SPDX-License-Identifier: MIT */
/*
 * tests/blocking_test.c - pons_blocking(): code that blocks, called by code
 * that must not; and that a job is run once, or not at all, and its owner told
 * which.
 */

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "core/fiber.h"
#include "core/pool_book.h"
#include "core/runtime.h"
#include "core/seat.h"
#include "core/self.h"
#include "everywhere.h"
#include "gate.h"
#include "pons/error.h"
#include "pons/time.h"

enum {
    CROWD = 64,   // fibers with a job each
    RACES = 2000, // of a cancel with a job
    NESTING = 6,  // jobs that wait for a job that waits ...
};

static int64_t
block(struct pons_runtime *rt, pons_fiber_f *fn, void *arg)
{
    int64_t answer = -1;

    CHECK_EQ(pons_block_on(rt, fn, arg, &answer), 0);
    return answer;
}

/* A job that waits to be let go, or to be asked to end. */
struct job {
    struct pons_runtime *rt;
    pthread_t thread;
    int calls, destroyed; // how often
    int running, go, sees_cancel;
    int64_t answer;
};

static int
is(const int *flag)
{
    return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void
add(int *flag)
{
    __atomic_fetch_add(flag, 1, __ATOMIC_ACQ_REL);
}

static void
until(const int *flag)
{
    while (!is(flag))
        let_others_run();
}

static int64_t
job_at_once(void *arg)
{
    struct job *j = arg;

    j->thread = pthread_self();
    add(&j->calls);
    return j->answer;
}

static int64_t
job_until_go(void *arg)
{
    struct job *j = arg;

    add(&j->calls);
    add(&j->running);
    while (!is(&j->go))
        (void)sched_yield();
    return j->answer;
}

static int64_t
job_until_asked(void *arg)
{
    struct job *j = arg;

    add(&j->calls);
    add(&j->running);
    while (!pons_job_cancelled())
        (void)sched_yield();
    j->sees_cancel = 1;
    return j->answer;
}

static void
job_destroy(void *arg)
{
    struct job *j = arg;

    add(&j->destroyed);
}

/* --- both forms --- */

static void
call_body(void *arg)
{
    struct job j = {.answer = -77};
    int64_t answer;

    (void)arg;
    CHECK_EQ(pons_blocking(job_at_once, &j, &answer), 0);
    CHECK_EQ(answer, -77);
    CHECK_EQ(j.calls, 1);
    CHECK_EQ(!pthread_equal(j.thread, pthread_self()),
             pons_runtime_current() != NULL);
    CHECK_EQ(pons_blocking(job_at_once, &j, NULL), 0);
    CHECK_EQ(pons_job_cancelled(), 0);
}

static void
job_runs_on_a_thread_of_the_pool(void)
{
    everywhere(call_body, NULL);
}

static void
future_body(void *arg)
{
    struct job j = {.answer = 12};
    struct pons_blocking b;

    (void)arg;
    pons_blocking_init(&b, NULL, job_at_once, &j);
    CHECK_EQ(b.base.result, -EINPROGRESS);
    if (pons_runtime_current() == NULL) {
        CHECK_EQ(pons_await(&b.base), -EINVAL); // no pool to run it
        return;
    }
    CHECK_EQ(pons_await(&b.base), 12);
    CHECK_EQ(j.calls, 1);
    pons_blocking_init(&b, pons_runtime_current(), job_at_once, &j);
    CHECK_EQ(pons_await(&b.base), 12);
    CHECK_EQ(j.calls, 2);
}

static void
future_form_has_the_answer_as_its_result(void)
{
    everywhere(future_body, NULL);
}

static int64_t
releases(void *arg)
{
    struct job *j = arg;

    until(&j->running); // so it runs while others run
    add(&j->go);
    return 0;
}

static void
others_body(void *arg)
{
    struct job j = {.answer = 4};
    struct agent a;
    int64_t answer;

    (void)arg;
    agent_start(&a, releases, &j);
    CHECK_EQ(pons_blocking(job_until_go, &j, &answer), 0);
    CHECK_EQ(answer, 4);
    CHECK_EQ(agent_join(&a), 0);
}

static void
others_run_while_a_job_blocks(void)
{
    everywhere(others_body, NULL);
}

static int64_t
counts(void *n)
{
    add(n);
    return 1;
}

static int64_t
has_a_job(void *n)
{
    int64_t answer;

    CHECK_EQ(pons_blocking(counts, n, &answer), 0);
    return answer;
}

static void
crowd_body(void *arg)
{
    struct pons_task *t[CROWD];
    int64_t answer;
    int n = 0;

    (void)arg;
    for (int i = 0; i < CROWD; i++)
        CHECK_EQ(pons_spawn(NULL, has_a_job, &n, &t[i]), 0);
    for (int i = 0; i < CROWD; i++) {
        CHECK_EQ(pons_join(t[i], &answer), 0);
        CHECK_EQ(answer, 1);
    }
    CHECK_EQ(n, CROWD);
}

static void
many_jobs_each_run_once(void)
{
    everywhere_in_fibers(crowd_body, NULL);
}

static int64_t
inline_body(void *rt)
{
    struct job j = {.answer = 3};
    struct pons_task *t;
    int64_t answer;
    int n = 0;

    (void)rt;
    CHECK_EQ(pons_blocking(job_at_once, &j, &answer), 0);
    CHECK_EQ(answer, 3);
    CHECK_EQ(pons_spawn(NULL, has_a_job, &n, &t), 0);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(n, 1);
    return 0;
}

static void
inline_policy_runs_jobs_too(void)
{
    static const char *const workers[] = {"0", "2"};

    for (int i = 0; i < 2; i++) {
        struct pons_runtime *rt = runtime_with_pool(workers[i], "inline");

        CHECK_EQ(block(rt, inline_body, rt), 0);
        pons_runtime_unref(rt);
    }
}

static int64_t
answers_7(void *arg)
{
    (void)arg;
    return 7;
}

static int64_t
has_job_7(void *arg)
{
    int64_t answer = 0;

    CHECK_EQ(pons_blocking(answers_7, arg, &answer), 0);
    return answer;
}

/* Inside a job that its submitter runs it is as on a thread of the pool. */
static int64_t
job_that_waits(void *rt)
{
    struct pons_task *t;
    int64_t answer = 0;

    CHECK(pons_runtime_current() == rt);
    CHECK_EQ(pons_sleep(PONS_US), 0);
    CHECK_EQ(pons_spawn(NULL, has_job_7, NULL, &t), 0);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(pons_runtime_shutdown(rt, PONS_NEVER), -EDEADLK);
    return answer;
}

static int64_t
inline_waits_body(void *rt)
{
    int64_t answer = 0;

    CHECK_EQ(pons_blocking(job_that_waits, rt, &answer), 0);
    return answer;
}

static void
inline_job_may_wait(void)
{
    struct pons_runtime *rt = runtime_with_pool("1", "inline");

    CHECK_EQ(block(rt, inline_waits_body, rt), 7);
    CHECK_EQ(pons_blocking_detached(rt, job_that_waits, rt, NULL), 0);
    CHECK(pons_runtime_current() == NULL);
    pons_runtime_unref(rt);
}

/* Its own submitter runs the job that waits. */
static int64_t
job_has_a_guest(void *rt)
{
    struct pons_blocking b;

    pons_blocking_init(&b, NULL, job_that_waits, rt);
    return pons_await(&b.base);
}

static int64_t
fiber_of_a_guest(void *rt)
{
    int64_t answer = 0;

    CHECK_EQ(pons_blocking(job_has_a_guest, rt, &answer), 0);
    return answer;
}

static struct pons_pool_target
wants_one(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    (void)p;
    (void)v;
    return (struct pons_pool_target){.threads = 1};
}

static void
inline_job_that_waits_inside_another_holds_no_thread(void)
{
    struct pons_runtime *rt = runtime_with_pool("2", "inline");
    const struct pons_pool_ops *real = rt->pool->policy->ops;
    struct pons_pool_ops narrow = *real;
    struct pons_task *t;
    int64_t answer;

    narrow.on_tick = wants_one;
    rt->pool->policy->ops = &narrow;
    CHECK_EQ(pons_spawn(rt, fiber_of_a_guest, rt, &t), 0);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(answer, 7);
    CHECK_EQ(pons_runtime_shutdown(rt, PONS_NEVER), 0);
    rt->pool->policy->ops = real;
    pons_runtime_unref(rt);
}

/* Ends when as many of them run as there are fibers. */
static int64_t
job_meets_others(void *count)
{
    add(count);
    while (is(count) < 4)
        (void)sched_yield();
    return 7;
}

static int64_t
fiber_meets_others(void *count)
{
    int64_t answer = 0;

    CHECK_EQ(pons_blocking(job_meets_others, count, &answer), 0);
    return answer;
}

static void
inline_jobs_of_tasks_wait_behind_no_other(void)
{
    static const char *const workers[] = {"1", "2"};

    for (int i = 0; i < 2; i++) {
        struct pons_runtime *rt = runtime_with_pool(workers[i], "inline");
        struct pons_task *t[4];
        int count = 0;
        int64_t answer;

        for (int k = 0; k < 4; k++)
            CHECK_EQ(pons_spawn(rt, fiber_meets_others, &count, &t[k]), 0);
        for (int k = 0; k < 4; k++) {
            CHECK_EQ(pons_join(t[k], &answer), 0);
            CHECK_EQ(answer, 7);
        }
        pons_runtime_unref(rt);
    }
}

static int64_t
job_opens_gate_and_waits(void *gate)
{
    gate_open(gate);
    CHECK_EQ(pons_sleep(PONS_MS), 0); // with the wake that the opening was
    return 0;
}

/* Waits for a gate, and in its first poll submits the job that opens it. */
struct opened {
    struct pons_future base;
    struct gate gate;
    struct gate_wait wait;
    int submitted;
};

static enum pons_poll
opened_poll(struct pons_future *f, struct pons_waker *w)
{
    struct opened *o = pons_container_of(f, struct opened, base);
    enum pons_poll answer = pons_future_poll(&o->wait.base, w);

    f->result = 0;
    if (!o->submitted++)
        CHECK_EQ(pons_blocking_detached(NULL, job_opens_gate_and_waits,
                                        &o->gate, NULL),
                 0);
    return answer;
}

static const struct pons_future_ops opened_ops = {
    .size = sizeof opened_ops,
    .name = "opened",
    .poll = opened_poll,
};

static int64_t
await_opened(void *arg)
{
    struct opened o = {.submitted = 0};

    (void)arg;
    gate_wait_init(&o.wait, &o.gate);
    pons_future_init(&o.base, &opened_ops);
    return pons_await(&o.base);
}

static void
inline_job_takes_no_wake_of_its_submitter(void)
{
    struct pons_runtime *rt = runtime_with_pool("1", "inline");

    CHECK_EQ(block(rt, await_opened, NULL), 0);
    pons_runtime_unref(rt);
}

static int64_t
until_asked(void *running)
{
    poni_store_release((int *)running, 1);
    while (!pons_job_cancelled())
        (void)sched_yield();
    return 0;
}

struct asked {
    struct pons_runtime *rt;
    int running;
};

static void *
detach_until_asked(void *arg)
{
    struct asked *a = arg;

    CHECK_EQ(pons_blocking_detached(a->rt, until_asked, &a->running, NULL), 0);
    return NULL;
}

static void
inline_job_hears_of_a_shutdown(void)
{
    struct asked a = {.rt = runtime_with_pool("1", "inline")};
    pthread_t submitter;

    CHECK_EQ(pthread_create(&submitter, NULL, detach_until_asked, &a), 0);
    while (!poni_load_acquire(&a.running))
        (void)sched_yield();
    CHECK_EQ(pons_runtime_shutdown(a.rt, PONS_NEVER), 0);
    CHECK_EQ(pthread_join(submitter, NULL), 0);
    pons_runtime_unref(a.rt);
}

/* --- a job whose thread drives tasks of another runtime --- */

static int64_t
driven_task(void *arg)
{
    struct job inner = {.answer = 4};
    int64_t answer = 0;

    (void)arg;
    CHECK(!pons_job_cancelled()); // the job below has been asked
    CHECK_EQ(pons_blocking(job_at_once, &inner, &answer), 0);
    CHECK(!pthread_equal(inner.thread, pthread_self()));
    return answer;
}

static int64_t
joins_driven_task(void *arg)
{
    struct pons_task *t;
    int64_t answer = 0;

    CHECK_EQ(pons_spawn(NULL, driven_task, arg, &t), 0);
    CHECK_EQ(pons_join(t, &answer), 0);
    return answer;
}

static int64_t
job_drives_another(void *arg)
{
    struct pons_runtime *driven = runtime_of("epoll", "0");
    int64_t answer;

    (void)job_until_asked(arg);
    answer = block(driven, joins_driven_task, NULL);
    CHECK(pons_job_cancelled());
    pons_runtime_unref(driven);
    return answer;
}

/* --- cancelled --- */

/* What pons_blocking() returned, and its answer. */
struct called {
    struct job *job;
    pons_job_f *fn;
    int err;
    int64_t answer;
};

static int64_t
calls_job(void *arg)
{
    struct called *c = arg;

    c->err = pons_blocking(c->fn, c->job, &c->answer);
    return 0;
}

static int64_t
cancel_queued(void *arg)
{
    struct job first = {.answer = 1}, second = {.answer = 2};
    struct called a = {&first, job_until_go, 1, 0};
    struct called b = {&second, job_at_once, 1, 99};
    struct pons_runtime *rt = arg;
    struct poni_pool_figures figures = {.queued = 0};
    struct pons_task *ta, *tb;

    CHECK_EQ(pons_spawn(NULL, calls_job, &a, &ta), 0);
    until(&first.running);
    CHECK_EQ(pons_spawn(NULL, calls_job, &b, &tb), 0);
    while (figures.queued == 0) {
        let_others_run();
        poni_pool_figures(rt->pool, &figures);
    }
    pons_cancel(tb);
    CHECK_EQ(pons_join(tb, NULL), 0); // while the first job still runs
    CHECK_EQ(b.err, -ECANCELED);
    CHECK_EQ(b.answer, 99);
    add(&first.go);
    CHECK_EQ(pons_join(ta, NULL), 0);
    CHECK_EQ(a.err, 0);
    CHECK_EQ(a.answer, 1);
    CHECK_EQ(second.calls, 0);
    return 0;
}

static void
job_cancelled_before_it_started_is_not_run(void)
{
    static const char *const workers[] = {"0", "1", "2"};

    for (int i = 0; i < 3; i++) {
        struct pons_runtime *rt =
            runtime_with_pool(workers[i], "elastic:max=1");

        CHECK_EQ(block(rt, cancel_queued, rt), 0);
        pons_runtime_unref(rt);
    }
}

static void
cancel_running_body(void *arg)
{
    struct job j = {.answer = 31};
    struct called c = {&j, job_until_asked, 1, 0};
    struct pons_task *t;

    (void)arg;
    CHECK_EQ(pons_spawn(NULL, calls_job, &c, &t), 0);
    until(&j.running);
    CHECK(!pons_task_ended(t));
    pons_cancel(t);
    CHECK_EQ(pons_join(t, NULL), 0);
    CHECK_EQ(j.sees_cancel, 1); // it had ended when the call returned
    CHECK_EQ(c.err, 0);
    CHECK_EQ(c.answer, 31);
}

static void
running_job_sees_the_cancel_and_is_awaited(void)
{
    everywhere_in_fibers(cancel_running_body, NULL);
}

struct across {
    struct pons_runtime *outer;
    const char *workers; // of the inner one
};

static int64_t
joins_outer_task(void *outer)
{
    struct pons_task *t;
    int64_t answer = 0;

    CHECK_EQ(pons_spawn(outer, has_job_7, NULL, &t), 0);
    CHECK_EQ(pons_join(t, &answer), 0);
    return answer;
}

static int64_t
job_waits_in_another(void *arg)
{
    struct across *a = arg;
    struct pons_runtime *inner = runtime_of("epoll", a->workers);
    int64_t answer = block(inner, joins_outer_task, a->outer);

    pons_runtime_unref(inner);
    return answer;
}

static int64_t
fiber_waits_in_another(void *across)
{
    int64_t answer = 0;

    CHECK_EQ(pons_blocking(job_waits_in_another, across, &answer), 0);
    return answer;
}

static void
job_that_waits_in_another_runtime_does_not_hold_its_thread(void)
{
    static const char *const workers[] = {"0", "1"};

    for (int i = 0; i < 2; i++) {
        struct pons_runtime *rt = runtime_with_pool("1", "elastic:max=1");
        struct across across = {rt, workers[i]};
        struct pons_task *t;
        int64_t answer;

        CHECK_EQ(pons_spawn(rt, fiber_waits_in_another, &across, &t), 0);
        CHECK_EQ(pons_join(t, &answer), 0);
        CHECK_EQ(answer, 7);
        pons_runtime_unref(rt);
    }
}

static void
task_on_a_jobs_thread_is_not_in_that_job(void)
{
    struct pons_runtime *rt = runtime_of("epoll", "1");
    struct job j = {.answer = 0};
    struct called c = {&j, job_drives_another, 1, 0};
    struct pons_task *t;

    CHECK_EQ(pons_spawn(rt, calls_job, &c, &t), 0);
    until(&j.running);
    pons_cancel(t);
    CHECK_EQ(pons_join(t, NULL), 0);
    CHECK_EQ(c.err, 0);
    CHECK_EQ(c.answer, 4);
    pons_runtime_unref(rt);
}

static void
late_body(void *arg)
{
    struct job j = {.answer = 8};
    struct called c = {&j, job_until_asked, 1, 0};

    (void)arg;
    if (pons_runtime_current() == NULL)
        return; // the job would be called here, and nobody asks it
    for (uint64_t ms = 1; j.calls == 0; ms *= 2) { // it may not have begun
        CHECK_EQ(pons_timeout(pons_after_ms(ms), calls_job, &c, NULL), 0);
        CHECK_EQ(c.err, j.calls == 0 ? -ECANCELED : 0);
    }
    CHECK_EQ(c.answer, 8); // it succeeded after all
}

static void
deadline_asks_a_running_job(void)
{
    everywhere(late_body, NULL);
}

/*
 * The poll has used up its budget before the job is submitted, and the job is
 * cancelled then: it is not begun.
 */
struct spender {
    struct pons_future base;
    struct pons_blocking job;
};

static enum pons_poll
spender_poll(struct pons_future *f, struct pons_waker *w)
{
    struct spender *p = pons_container_of(f, struct spender, base);

    PONS_BEGIN(f);
    for (int i = 0; i < BUDGET; i++) // as operations do that end at once
        CHECK(poni_budget_take(&poni_self, w));
    CHECK_EQ(pons_future_poll(&p->job.base, w), PONS_PENDING);
    pons_future_cancel(&p->job.base);
    PONS_AWAIT(f, w, &p->job);
    PONS_RETURN(f, p->job.base.result);
    PONS_END(f);
}

static const struct pons_future_ops spender_ops = {
    .size = sizeof spender_ops, .name = "spender", .poll = spender_poll};

static void
spent_body(void *arg)
{
    struct job j = {.answer = 8};
    struct spender p;
    struct pons_task *t;
    int64_t answer;

    (void)arg;
    pons_future_init(&p.base, &spender_ops);
    pons_blocking_init(&p.job, NULL, job_at_once, &j);
    CHECK_EQ(pons_spawn_future(NULL, &p.base, &t), 0);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(answer, -ECANCELED);
    CHECK_EQ(j.calls, 0);
}

static void
cancel_before_the_job_was_submitted_is_not_lost(void)
{
    everywhere_in_fibers(spent_body, NULL);
}

static int64_t
races_with_a_job(void *arg)
{
    struct pons_runtime *rt = arg;

    for (int i = 0; i < RACES; i++) {
        struct job j = {.answer = 5};
        struct called c = {&j, job_at_once, 1, 0};
        struct pons_task *t;

        CHECK_EQ(pons_spawn(rt, calls_job, &c, &t), 0);
        for (int k = i % 7; k > 0; k--)
            (void)sched_yield();
        pons_cancel(t);
        CHECK_EQ(pons_join(t, NULL), 0);
        CHECK(c.err == 0 || c.err == -ECANCELED);
        CHECK_EQ(j.calls, c.err == 0);
        CHECK_EQ(c.answer, c.err == 0 ? 5 : 0);
    }
    return 0;
}

static void
cancel_and_start_race_and_one_wins(void)
{
    struct pons_runtime *rt = runtime_of("epoll", "2");

    CHECK_EQ(races_with_a_job(rt), 0);
    pons_runtime_unref(rt);
}

/* --- detached --- */

static void
detached_runs_and_is_destroyed_once(void)
{
    struct pons_runtime *rt = runtime_of("epoll", "1");
    struct job j = {.answer = 0};

    CHECK_EQ(pons_blocking_detached(rt, job_at_once, &j, job_destroy), 0);
    CHECK_EQ(pons_blocking_detached(rt, job_at_once, &j, NULL), 0);
    pons_runtime_unref(rt); // waits for neither to start, but to end
    CHECK_EQ(j.destroyed, 1);
    CHECK(j.calls <= 2);
}

static void
detached_that_is_queued_at_shutdown_is_destroyed_once(void)
{
    struct pons_runtime *rt = runtime_with_pool("1", "elastic:max=1");
    struct job first = {.answer = 0}, second = {.answer = 0};

    CHECK_EQ(pons_blocking_detached(rt, job_until_asked, &first, job_destroy),
             0);
    until(&first.running);
    CHECK_EQ(pons_blocking_detached(rt, job_at_once, &second, job_destroy), 0);
    pons_runtime_unref(rt);
    CHECK_EQ(first.calls + first.destroyed, 2);
    CHECK_EQ(first.sees_cancel, 1);
    CHECK_EQ(second.calls, 0);
    CHECK_EQ(second.destroyed, 1);
}

static struct pons_pool_admission
refuses(struct pons_pool_policy *p, const struct pons_pool_view *view,
        const struct pons_job *job)
{
    (void)p;
    (void)view;
    (void)job;
    return (struct pons_pool_admission){.verdict = PONS_POOL_REFUSE};
}

static int64_t
is_refused(void *arg)
{
    struct job j = {.answer = 0};
    struct pons_blocking b;
    int64_t answer = 66;

    CHECK_EQ(pons_blocking(job_at_once, &j, &answer), -EBUSY);
    CHECK_HAS(pons_last_error(), "refused");
    CHECK_EQ(answer, 66);
    pons_blocking_init(&b, arg, job_at_once, &j);
    CHECK_EQ(pons_await(&b.base), -EBUSY);
    CHECK_EQ(pons_blocking_detached(NULL, job_at_once, &j, job_destroy),
             -EBUSY);
    CHECK_EQ(j.calls, 0);
    CHECK_EQ(j.destroyed, 1);
    return 0;
}

static void
refused_by_the_policy_is_ebusy(void)
{
    struct pons_runtime *rt = runtime_of("epoll", "1");
    const struct pons_pool_ops *real = rt->pool->policy->ops;
    struct pons_pool_ops refusing = *real;
    struct pons_stats stats = {.size = sizeof stats};
    struct pons_task *t;
    int64_t answer;

    refusing.on_submit = refuses;
    rt->pool->policy->ops = &refusing;
    CHECK_EQ(block(rt, is_refused, rt), 0);
    CHECK_EQ(pons_spawn(rt, is_refused, rt, &t), 0);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(pons_runtime_stats(rt, &stats), 0);
    CHECK_EQ(stats.jobs, 0);
    CHECK_EQ(stats.jobs_refused, 6);
    rt->pool->policy->ops = real;
    pons_runtime_unref(rt);
}

static void
detached_without_a_runtime_is_destroyed(void)
{
    struct job j = {.answer = 0};

    CHECK_EQ(pons_blocking_detached(NULL, job_at_once, &j, job_destroy),
             -EINVAL);
    CHECK_EQ(j.destroyed, 1);
    CHECK_EQ(j.calls, 0);
    CHECK_EQ(pons_blocking_detached(NULL, job_at_once, &j, NULL), -EINVAL);
}

static void
after_shutdown_jobs_are_refused(void)
{
    struct pons_runtime *rt = runtime_of("epoll", "1");
    struct job j = {.answer = 0};
    struct called c = {&j, job_at_once, 1, 0};

    CHECK_EQ(pons_runtime_shutdown(rt, PONS_NEVER), 0);
    CHECK_EQ(pons_blocking_detached(rt, job_at_once, &j, job_destroy),
             -ESHUTDOWN);
    CHECK_EQ(block(rt, calls_job, &c), 0);
    CHECK_EQ(c.err, -ESHUTDOWN);
    CHECK_EQ(j.destroyed, 1);
    CHECK_EQ(j.calls, 0);
    pons_runtime_unref(rt);
}

/* --- jobs that wait for jobs --- */

static int64_t
job_waits_for_a_job(void *depth)
{
    struct pons_task *t;
    int deeper = *(int *)depth - 1, ran = 0;
    int64_t answer;

    CHECK_EQ(pons_blocking(counts, &ran, &answer), 0); // in this job
    if (deeper < 0)
        return 0;
    CHECK_EQ(pons_spawn(NULL, has_a_job, &ran, &t), 0);
    CHECK_EQ(pons_join(t, &answer), 0); // a task that has a job
    CHECK_EQ(answer, 1);
    return deeper == 0 ? 7 : job_waits_for_a_job(&deeper);
}

static int64_t
fiber_of_a_job(void *depth)
{
    int64_t answer;

    CHECK_EQ(pons_blocking(job_waits_for_a_job, depth, &answer), 0);
    return answer;
}

static int64_t
fibers_of_jobs(void *arg)
{
    struct pons_task *t[4];
    int depth = NESTING;
    int64_t answer;

    (void)arg;
    for (int i = 0; i < 4; i++)
        CHECK_EQ(pons_spawn(NULL, fiber_of_a_job, &depth, &t[i]), 0);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(pons_join(t[i], &answer), 0);
        CHECK_EQ(answer, 7);
    }
    return 0;
}

static void
job_that_waits_for_a_job_does_not_hold_its_thread(void)
{
    static const char *const workers[] = {"0", "1", "2"};

    for (int i = 0; i < 3; i++) {
        struct pons_runtime *rt =
            runtime_with_pool(workers[i], "elastic:max=1");

        CHECK_EQ(block(rt, fibers_of_jobs, NULL), 0);
        pons_runtime_unref(rt);
    }
}

static const struct unit_test tests[] = {
#define T(name)     \
    {               \
#name, name \
    }
    T(job_runs_on_a_thread_of_the_pool),
    T(future_form_has_the_answer_as_its_result),
    T(others_run_while_a_job_blocks),
    T(many_jobs_each_run_once),
    T(inline_policy_runs_jobs_too),
    T(inline_job_may_wait),
    T(inline_job_that_waits_inside_another_holds_no_thread),
    T(inline_jobs_of_tasks_wait_behind_no_other),
    T(inline_job_takes_no_wake_of_its_submitter),
    T(inline_job_hears_of_a_shutdown),
    T(job_cancelled_before_it_started_is_not_run),
    T(running_job_sees_the_cancel_and_is_awaited),
    T(job_that_waits_in_another_runtime_does_not_hold_its_thread),
    T(task_on_a_jobs_thread_is_not_in_that_job),
    T(deadline_asks_a_running_job),
    T(cancel_before_the_job_was_submitted_is_not_lost),
    T(cancel_and_start_race_and_one_wins),
    T(detached_runs_and_is_destroyed_once),
    T(detached_that_is_queued_at_shutdown_is_destroyed_once),
    T(refused_by_the_policy_is_ebusy),
    T(detached_without_a_runtime_is_destroyed),
    T(after_shutdown_jobs_are_refused),
    T(job_that_waits_for_a_job_does_not_hold_its_thread),
#undef T
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("blocking", tests, argc, argv);
}
