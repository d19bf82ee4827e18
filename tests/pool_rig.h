/* SPDX-License-Identifier: MIT */
#ifndef POOL_RIG_H
#define POOL_RIG_H

/*
 * tests/pool_rig.h - a pool on any policy, and jobs whose course a test
 * decides.
 *
 * A `work` says when it has begun and ended, and, if it is to block, goes on
 * only when it is released. The executable is linked with
 * -Wl,--wrap=pthread_create: while rig_refuse is set the system has no threads.
 */

#include "core/fail.h"
#include "core/pool.h"
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <string.h>
#include <unistd.h>

#include "pons/time.h"

/* --- threads that the system refuses --- */

static int rig_refuse;            // atomic
static int rig_attempts;          // atomic; of pthread_create()
static void (*rig_started)(void); // called when one has begun, if set

int __real_pthread_create(pthread_t *id, const pthread_attr_t *attr,
                          void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *id, const pthread_attr_t *attr,
                          void *(*run)(void *), void *arg);

int
__wrap_pthread_create(pthread_t *id, const pthread_attr_t *attr,
                      void *(*run)(void *), void *arg)
{
    int err;

    __atomic_add_fetch(&rig_attempts, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&rig_refuse, __ATOMIC_SEQ_CST))
        return EAGAIN;
    err = __real_pthread_create(id, attr, run, arg);
    if (err == 0 && rig_started != NULL)
        rig_started();
    return err;
}

static inline void
rig_set_refuse(int refuse)
{
    __atomic_store_n(&rig_refuse, refuse, __ATOMIC_SEQ_CST);
}

/* --- policies --- */

struct pons_config {
    struct {
        const char *name;
        uint64_t value;
    } options[5];
};

static inline uint64_t
rig_config_uint(const struct pons_config *c, const char *name)
{
    for (int i = 0; c->options[i].name != NULL; i++)
        if (strcmp(c->options[i].name, name) == 0)
            return c->options[i].value;
    fprintf(stderr, "the test gives no option %s\n", name);
    exit(1);
}

static inline void *
rig_alloc(const struct pons_host *h, size_t size)
{
    (void)h;
    return calloc(1, size);
}

static inline void
rig_free(const struct pons_host *h, void *memory, size_t size)
{
    (void)h;
    (void)size;
    free(memory);
}

static const struct pons_host rig_host = {
    .abi = PONS_ABI,
    .size = sizeof rig_host,
    .alloc = rig_alloc,
    .free = rig_free,
    .refuse = poni_refuse,
    .config_uint = rig_config_uint,
};

extern const struct pons_plugin *const poni_builtin_elastic;
extern const struct pons_plugin *const poni_builtin_inline;

static inline const struct pons_pool_ops *
rig_policy(const char *name)
{
    const struct pons_plugin *plugins[] = {poni_builtin_elastic,
                                           poni_builtin_inline};

    for (int i = 0; i < 2; i++)
        for (const struct pons_engine *e = plugins[i]->engines; e->kind; e++)
            if (strcmp(e->name, name) == 0)
                return e->table;
    fprintf(stderr, "no policy %s\n", name);
    exit(1);
}

static inline int64_t
rig_run(void *owner, struct pons_job *job)
{
    (void)owner;
    return job->fn(job->arg);
}

/* A pool on `ops`; the rest as in poni_pool_new(). */
static inline struct poni_pool *
rig_open_run(const struct pons_pool_ops *ops, const struct pons_config *config,
             poni_pool_run_f *run, void *owner)
{
    struct pons_pool_policy *policy;
    struct pons_reason reason;
    struct poni_pool *p;

    CHECK_EQ(ops->open(&policy, config, &rig_host, &reason), 0);
    policy->ops = ops;
    CHECK_EQ(poni_pool_new(&p, policy, run, owner), 0);
    return p;
}

static inline struct poni_pool *
rig_open_ops(const struct pons_pool_ops *ops, const struct pons_config *config)
{
    return rig_open_run(ops, config, rig_run, NULL);
}

static inline struct poni_pool *
rig_elastic(uint64_t min, uint64_t max, uint64_t keepalive_ns,
            uint64_t launch_interval_ns)
{
    struct pons_config config = {{{"min", min},
                                  {"max", max},
                                  {"keepalive", keepalive_ns},
                                  {"launch_interval", launch_interval_ns}}};

    return rig_open_ops(rig_policy("elastic"), &config);
}

static inline struct poni_pool *
rig_fixed(uint64_t threads)
{
    struct pons_config config = {{{"threads", threads}, {"eager", 0}}};

    return rig_open_ops(rig_policy("fixed"), &config);
}

/* Nothing runs; nothing of the pool is left. */
static inline void
rig_close(struct poni_pool *p)
{
    char names[64];

    CHECK_EQ(poni_pool_shutdown(p, PONS_NEVER, names, sizeof names), 0);
    CHECK_EQ(poni_pool_free(p), 1);
}

static inline struct poni_pool_figures
rig_figures(struct poni_pool *p)
{
    struct poni_pool_figures f;

    poni_pool_figures(p, &f);
    return f;
}

/* --- jobs --- */

struct work {
    struct pons_job job;
    sem_t begun, go, ended;
    int blocks;               // until `go` is posted
    int ran, dones;           // atomic: how often
    pid_t thread;             // that it ran on
    struct pons_job *current; // poni_pool_current_job() inside
    uint64_t begun_ns;
};

static inline void
rig_wait(sem_t *s)
{
    while (sem_wait(s) < 0)
        CHECK_EQ(errno, EINTR);
}

static int64_t
work_run(void *arg)
{
    struct work *w = arg;

    w->thread = gettid();
    w->begun_ns = pons_now();
    w->current = poni_pool_current_job();
    __atomic_add_fetch(&w->ran, 1, __ATOMIC_SEQ_CST);
    sem_post(&w->begun);
    if (w->blocks)
        rig_wait(&w->go);
    return 42;
}

static void
work_done(struct pons_job *job)
{
    struct work *w = pons_container_of(job, struct work, job);

    __atomic_add_fetch(&w->dones, 1, __ATOMIC_SEQ_CST);
    sem_post(&w->ended);
}

static inline void
work_init(struct work *w, int blocks)
{
    memset(w, 0, sizeof *w);
    w->blocks = blocks;
    sem_init(&w->begun, 0, 0);
    sem_init(&w->go, 0, 0);
    sem_init(&w->ended, 0, 0);
    w->job.fn = work_run;
    w->job.arg = w;
    w->job.done = work_done;
}

static inline void
work_submit(struct poni_pool *p, struct work *w)
{
    CHECK_EQ(poni_pool_submit(p, &w->job, 0), 0);
}

/* A new job that blocks, and has begun. */
static inline void
work_occupy(struct poni_pool *p, struct work *w)
{
    work_init(w, 1);
    work_submit(p, w);
    rig_wait(&w->begun);
}

static inline void
work_release(struct work *w)
{
    sem_post(&w->go);
}

/* It has ended, having run. */
static inline void
work_await(struct work *w)
{
    rig_wait(&w->ended);
    CHECK_EQ(w->job.result, 42);
    CHECK_EQ(w->ran, 1);
    CHECK_EQ(w->dones, 1);
    CHECK(poni_job_ran(&w->job));
}

static inline void
work_finish(struct work *w)
{
    work_release(w);
    work_await(w);
}

/* It has ended without having run. */
static inline void
work_await_refusal(struct work *w, int err)
{
    rig_wait(&w->ended);
    CHECK_EQ(w->job.result, err);
    CHECK_EQ(w->ran, 0);
    CHECK_EQ(w->dones, 1);
    CHECK(!poni_job_ran(&w->job));
}

#endif /* POOL_RIG_H */
