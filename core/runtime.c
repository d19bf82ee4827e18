/* SPDX-License-Identifier: MIT */
/*
 * core/runtime.c - made, shared, found, freed. Its end is core/shutdown.c.
 */

#include "runtime.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "adapter.h"
#include "fail.h"
#include "fork.h"
#include "futex.h"
#include "future.h"
#include "lock.h"
#include "pons/fiber.h"
#include "self.h"
#include "shutdown.h"
#include "spin.h"
#include "stack_report.h"
#include "stats.h"
#include "thread.h"
#include "waiter.h"

enum { HELD_PATIENCE_NS = 2000000 }; // for a wake that is in course

/* --- holds --- */

/* Tasks that a handle or a waker still leads to, or whose last one is just
 * being given up. */
static uint64_t
runtime_held_tasks(struct pons_runtime *rt)
{
    uint64_t held = poni_slab_out(&rt->slab);

    for (unsigned i = 0; i < rt->seat_count; i++)
        held += poni_slab_out(&rt->seats[i].slab);
    return held;
}

/*
 * A thread that is just waking a task holds it for some instructions more, and
 * rings a seat of ours. Who keeps a handle or a waker for longer keeps the
 * memory that it leads to, for good.
 */
static int
runtime_is_held(struct pons_runtime *rt)
{
    uint64_t patience = pons_after_ns(HELD_PATIENCE_NS), held;

    while ((held = runtime_held_tasks(rt)) > 0 && pons_now() < patience)
        (void)sched_yield();
    if (held > 0)
        poni_log(PONS_LOG_WARN, "runtime",
                 "%llu task handles or wakers have outlived their runtime: its "
                 "memory is kept; join, detach or drop them first",
                 (unsigned long long)held);
    return held > 0;
}

static void
runtime_free(struct pons_runtime *rt)
{
    poni_unpolled_report(NULL);
    if (rt->pool != NULL && !poni_pool_free(rt->pool))
        return; // a job still runs in it: all of this is leaked
    if (rt->seats != NULL && runtime_is_held(rt))
        return;
    for (unsigned i = 0; i < rt->seat_count; i++)
        poni_slab_fini(&rt->seats[i].slab);
    poni_slab_fini(&rt->slab);
    poni_choice_fini(&rt->reactor);
    poni_choice_fini(&rt->policy);
    poni_choice_fini(&rt->files);
    if (rt->catalog != NULL)
        poni_catalog_close(rt->catalog);
    poni_settings_fini(&rt->settings);
    free(rt->threads);
    free(rt->seats);
    free(rt);
}

void
poni_runtime_hold(struct pons_runtime *rt)
{
    poni_add_relaxed(&rt->holds, 1);
}

void
poni_runtime_release(struct pons_runtime *rt)
{
    if (poni_sub(&rt->holds, 1) == 1)
        runtime_free(rt);
}

int
poni_runtime_check(const struct pons_runtime *rt)
{
    if (rt->epoch == poni_epoch())
        return 0;
    return poni_fail(
        -EOWNERDEAD,
        "this runtime belongs to the process that was forked; make "
        "a new one with pons_runtime_new()");
}

struct pons_runtime *
poni_runtime_or_current(struct pons_runtime *rt, int *err)
{
    if (rt == NULL)
        rt = pons_runtime_current();
    if (rt == NULL)
        *err = poni_fail(-EINVAL, "there is no current runtime here: pass one, "
                                  "or call inside pons_block_on()");
    else
        *err = poni_runtime_check(rt);
    return rt;
}

int
poni_inside(const struct pons_runtime *rt)
{
    const struct poni_seat *s = poni_self.seat;

    if (s != NULL && s->runtime == rt && s->working)
        return 1; // a hook or waker on a worker
    return (poni_self.task != NULL && poni_self.task->runtime == rt) ||
           poni_pool_is_here(rt->pool);
}

/* --- seats and workers --- */

static void *
worker_main(void *arg)
{
    struct poni_seat *s = arg;
    struct pons_runtime *rt = s->runtime;
    char name[16];

    (void)snprintf(name, sizeof name, "pons-worker-%u", s->index % 1000);
    (void)pthread_setname_np(pthread_self(), name);
    poni_self.seat = s;
    poni_stack_report_enter();
    (void)poni_seat_bind(s);
    poni_seat_work(s, &rt->stop, 1, PONS_NEVER);
    poni_seat_drain(s);
    poni_stack_report_leave();
    poni_self.seat = NULL;
    return NULL;
}

static int
worker_start(struct pons_runtime *rt, unsigned i)
{
    int err = poni_thread_start(&rt->threads[i], worker_main, &rt->seats[i]);

    if (err != 0)
        return poni_fail(-err,
                         "worker thread %u of %u could not be started: "
                         "%s; ask for fewer with PONS_WORKERS",
                         i + 1, rt->workers, strerror(err));
    return 0;
}

/* Release pairs with who sits down next. */
static void
seat_leave(struct poni_seat *s)
{
    if (poni_swap(&s->sat, SEAT_FREE) == SEAT_AWAITED)
        poni_futex_wake(&s->sat, 1);
}

struct poni_seat *
poni_sit(struct pons_runtime *rt)
{
    struct poni_seat *s = &rt->seats[0];
    uint32_t empty = SEAT_FREE;

    if (rt->workers > 0 || !pthread_equal(rt->maker, pthread_self()))
        return NULL;
    /* Acquire pairs with seat_leave(): the seat's own fields. */
    if (!poni_cas_seq(&s->sat, &empty, SEAT_TAKEN))
        return NULL;
    /* Who has stopped it was on the seat then, and closes the reactor. */
    if (poni_load_acquire(&rt->phase) == RUNTIME_STOPPED) {
        seat_leave(s);
        return NULL;
    }
    if (s->bound_away) {
        s->bound_away = 0;
        (void)poni_seat_bind(s);
    }
    poni_self.seat = s;
    return s;
}

void
poni_unsit(struct poni_seat *s)
{
    poni_self.seat = NULL;
    seat_leave(s);
}

struct poni_seat *
poni_sit_for_shutdown(struct pons_runtime *rt, uint64_t deadline_ns)
{
    struct poni_seat *s = &rt->seats[0];
    uint32_t now = SEAT_FREE;

    while (!poni_cas_seq(&s->sat, &now, SEAT_TAKEN)) {
        if ((now == SEAT_AWAITED ||
             poni_cas_seq(&s->sat, &now, SEAT_AWAITED)) &&
            poni_futex_wait(&s->sat, SEAT_AWAITED, deadline_ns) == -ETIMEDOUT)
            return NULL;
        now = SEAT_FREE;
    }
    /* An engine that is one thread's is not spoilt: what it has its maker's
     * waits end. */
    if (poni_seat_bind(s) < 0 && poni_seat_inflight(s) > 0) {
        poni_log(PONS_LOG_ERROR, "runtime",
                 "reactor %s stays with the thread that made the runtime "
                 "(owner=strict?), and only that can end what it waits for: "
                 "shut down there",
                 rt->reactor.entry->name);
        seat_leave(s);
        return NULL;
    }
    s->bound_away = !pthread_equal(rt->maker, pthread_self());
    poni_self.seat = s;
    return s;
}

/* --- making one --- */

static int
open_reactor(void *arg, const struct pons_engine *engine,
             const struct pons_config *config, struct pons_reason *reason)
{
    struct poni_seat *s = arg;

    if (engine->kind == PONS_KIND_POLLER)
        return poni_adapter_open(&s->reactor, engine->table, config,
                                 poni_host(), reason);
    return ((const struct pons_reactor_ops *)engine->table)
        ->open(&s->reactor, config, poni_host(), reason);
}

static int
open_policy(void *arg, const struct pons_engine *engine,
            const struct pons_config *config, struct pons_reason *reason)
{
    const struct pons_pool_ops *ops = engine->table;
    struct pons_pool_policy **policy = arg;
    int err = ops->open(policy, config, poni_host(), reason);

    if (err == 0)
        (*policy)->ops = ops;
    return err;
}

/*
 * A job's current runtime is the pool's; it is an ordinary thread there, also
 * where its submitter runs it inside a poll of its own. What the job waited for
 * may have taken a wake that was the submitter's then: it polls once more.
 */
static int64_t
run_job(void *rt, struct pons_job *job)
{
    struct poni_context here = {.runtime = rt};
    struct poni_self outer = poni_self;
    int64_t answer;

    poni_self = (struct poni_self){.context = &here, .waiter = outer.waiter};
    answer = job->fn(job->arg);
    poni_frames_end(&here, NULL);
    outer.waiter = poni_self.waiter;
    poni_self = outer;
    if (outer.polling && outer.waiter != NULL)
        poni_waiter_waker_ops.notify(outer.waiter);
    return answer;
}

static int
make_pool(struct pons_runtime *rt)
{
    struct pons_pool_policy *policy = NULL;
    int err = poni_choose(&rt->policy, rt->catalog, SETTING_POOL, open_policy,
                          &policy);

    if (err < 0)
        return err;
    err = poni_pool_new(&rt->pool, policy, run_job, rt);
    if (err < 0)
        policy->ops->close(policy);
    return err;
}

/* The first seat's reactor is the choice; the others get the same. */
static int
make_reactors(struct pons_runtime *rt)
{
    struct pons_reason reason = {""};
    int err = poni_choose(&rt->reactor, rt->catalog, SETTING_REACTOR,
                          open_reactor, &rt->seats[0]);

    if (err < 0)
        return err;
    rt->reactor_caps = rt->seats[0].reactor->caps;
    for (unsigned i = 1; i < rt->seat_count; i++) {
        err = open_reactor(&rt->seats[i], rt->reactor.entry->engine,
                           rt->reactor.config, &reason);
        if (err < 0)
            return poni_fail(err, "reactor %s for worker %u of %u: %s%s",
                             rt->reactor.entry->name, i + 1, rt->workers,
                             reason.text,
                             err == -EMFILE ? "; raise the limit (ulimit -n), "
                                              "or ask for fewer PONS_WORKERS"
                                            : "");
    }
    return 0;
}

static int
make_seats(struct pons_runtime *rt)
{
    rt->workers = rt->settings.workers;
    rt->seat_count = rt->workers > 0 ? rt->workers : 1;
    rt->seats = aligned_alloc(64, rt->seat_count * sizeof *rt->seats);
    rt->threads = calloc(rt->seat_count, sizeof *rt->threads);
    if (rt->seats == NULL || rt->threads == NULL)
        return poni_fail(-ENOMEM, "no memory for %u workers", rt->workers);
    memset(rt->seats, 0, rt->seat_count * sizeof *rt->seats);
    for (unsigned i = 0; i < rt->seat_count; i++)
        poni_seat_init(&rt->seats[i], rt, i);
    return 0;
}

static struct pons_runtime *
runtime_alloc(void)
{
    struct pons_runtime *rt = aligned_alloc(64, sizeof *rt);

    if (rt == NULL)
        return NULL;
    memset(rt, 0, sizeof *rt);
    rt->epoch = poni_epoch();
    rt->maker = pthread_self();
    rt->handles = rt->holds = 1;
    rt->inject_end = &rt->inject;
    poni_slab_init(&rt->slab, 1);
    return rt;
}

static int
start_workers(struct pons_runtime *rt)
{
    for (unsigned i = rt->worker0_is_main ? 1 : 0; i < rt->workers; i++) {
        int err = worker_start(rt, i);

        if (err < 0) {
            rt->workers = i; // those that run are stopped by the caller
            return err;
        }
    }
    return 0;
}

/* What was made so far goes; the sentence of the failure stays. */
static void
runtime_unmake(struct pons_runtime *rt)
{
    poni_store_seq(&rt->stop, 1);
    for (unsigned i = 0; rt->seats != NULL && i < rt->seat_count; i++)
        if (rt->seats[i].reactor != NULL)
            poni_seat_ring(&rt->seats[i]);
    for (unsigned i = rt->worker0_is_main ? 1 : 0; i < rt->workers; i++)
        if (rt->threads != NULL && rt->threads[i] != 0)
            pthread_join(rt->threads[i], NULL);
    for (unsigned i = 0; rt->seats != NULL && i < rt->seat_count; i++) {
        poni_files_close(&rt->seats[i]);
        if (rt->seats[i].reactor != NULL)
            rt->seats[i].reactor->ops->close(rt->seats[i].reactor);
    }
    if (rt->pool != NULL)
        (void)poni_pool_shutdown(rt->pool, PONS_NEVER, NULL, 0);
    poni_runtime_release(rt);
}

int
poni_runtime_make(struct pons_runtime **out,
                  const struct pons_settings *settings, int main_is_worker)
{
    struct pons_runtime *rt = runtime_alloc();
    int err;

#if defined(PONS_DEBUG) && !defined(PONI_ASAN) && !defined(PONI_TSAN)
    (void)!pons_stack_report();
#endif
    *out = NULL;
    if (rt == NULL)
        return poni_fail(-ENOMEM, "no memory for a runtime");
    err = poni_settings_read(&rt->settings, settings);
    if (err == 0)
        err = poni_catalog_open(&rt->catalog, &rt->settings);
    if (err == 0)
        err = make_seats(rt);
    if (err == 0)
        err = make_reactors(rt);
    if (err == 0)
        err = poni_files_make(rt);
    if (err == 0 && rt->workers == 0)
        err = poni_seat_bind(&rt->seats[0]);
    if (err == 0)
        err = make_pool(rt);
    rt->worker0_is_main = main_is_worker && rt->workers > 0;
    (void)poni_spin_limit_ns(); // measured now rather than in the first wait
    if (err == 0)
        err = start_workers(rt);
    if (err == 0)
        err = poni_stats_start(rt);
    if (err < 0) {
        runtime_unmake(rt);
        return err;
    }
    poni_log(PONS_LOG_INFO, "runtime", "reactor %s%s%s, pool %s, %u workers",
             rt->reactor.entry->name, rt->files.entry ? ", files by " : "",
             rt->files.entry ? rt->files.entry->name : "",
             rt->policy.entry->name, rt->workers);
    *out = rt;
    return 0;
}

/* Also where its shutdown is still to begin, on unref_thread(). */
static int
runtime_is_given_up(struct pons_runtime *rt)
{
    return poni_load_acquire(&rt->phase) != RUNTIME_OPEN ||
           poni_load_acquire(&rt->handles) == 0;
}

/* The waits of the thread that made a runtime without workers drive it: of one
 * such runtime, the first that is still open, outside pons_block_on(). */
static int
runtime_made_here(struct pons_runtime *rt)
{
    struct poni_waiter *w = poni_waiter_self();

    if (w == NULL)
        return poni_fail(-ENOMEM, "no memory for the thread's waits");
    if (w->made != NULL && runtime_is_given_up(w->made)) {
        poni_runtime_release(w->made);
        w->made = NULL;
    }
    if (w->made == NULL) {
        poni_runtime_hold(rt);
        w->made = rt;
    }
    return 0;
}

int
pons_runtime_new(struct pons_runtime **out,
                 const struct pons_settings *settings)
{
    int err = poni_runtime_make(out, settings, 0);

    if (err == 0 && (*out)->workers == 0) {
        err = runtime_made_here(*out);
        if (err < 0) {
            pons_runtime_unref(*out);
            *out = NULL;
        }
    }
    return err;
}

/* --- handles --- */

struct pons_runtime *
pons_runtime_ref(struct pons_runtime *rt)
{
    poni_add_relaxed(&rt->handles, 1);
    return rt;
}

static void *
unref_thread(void *rt)
{
    (void)pons_runtime_shutdown(rt, PONS_NEVER);
    poni_runtime_release(rt);
    return NULL;
}

/* From inside it would wait for itself. */
static void
unref_elsewhere(struct pons_runtime *rt)
{
    pthread_t thread;

    if (poni_thread_start(&thread, unref_thread, rt) != 0) {
        poni_log(PONS_LOG_ERROR, "runtime",
                 "the last handle was given up inside the runtime, and no "
                 "thread could be started to shut it down: it is leaked");
        return;
    }
    pthread_detach(thread);
}

/* The maker's waits have nothing to drive any more. */
static void
runtime_unmade_here(struct pons_runtime *rt)
{
    struct poni_waiter *w = poni_self.waiter;

    if (w == NULL || w->made != rt)
        return;
    w->made = NULL;
    poni_runtime_release(rt);
}

void
pons_runtime_unref(struct pons_runtime *rt)
{
    if (rt == NULL || rt->epoch != poni_epoch())
        return; // a forked child's copy: the parent's to free
    if (poni_sub(&rt->handles, 1) != 1)
        return;
    if (poni_inside(rt)) {
        unref_elsewhere(rt);
        return;
    }
    (void)pons_runtime_shutdown(rt, PONS_NEVER);
    runtime_unmade_here(rt);
    poni_runtime_release(rt);
}

static struct pons_runtime *the_default;
static uint32_t default_lock;
static pthread_once_t default_once = PTHREAD_ONCE_INIT;

/* Who held the lock is not in the child. */
static void
default_after_fork_child(void)
{
    the_default = NULL;
    default_lock = LOCK_FREE;
}

static void
default_watch_forks(void)
{
    (void)pthread_atfork(NULL, NULL, default_after_fork_child);
}

int
pons_runtime_default(struct pons_runtime **out)
{
    int err = 0;

    pthread_once(&default_once, default_watch_forks);
    poni_lock(&default_lock);
    if (the_default == NULL)
        err = pons_runtime_new(&the_default, NULL);
    *out = err == 0 ? pons_runtime_ref(the_default) : NULL;
    poni_unlock(&default_lock);
    return err;
}
