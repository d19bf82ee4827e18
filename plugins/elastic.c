/* SPDX-License-Identifier: MIT */
/*
 * plugins/elastic.c - the pool policies `elastic` and `fixed`.
 *
 * Both grow on demand: a job is left in a queue and no thread is idle or about
 * to be. So one thread is started at a time: the next when that one has begun,
 * and has left jobs behind. elastic takes threads away that were idle for
 * `keepalive`; since the pool wakes the latest first, the surplus gets that
 * old. fixed keeps them, and leaves room beside slow jobs, as libuv does.
 *
 * When the system refuses a thread, the limit falls to what there is: until a
 * thread has ended, and for REFUSED_NS at most, since threads that are busy, or
 * fixed, never end.
 */

#include "pons/pool.h"

#include <errno.h>

#define SECOND     UINT64_C(1000000000)
#define REFUSED_NS SECOND // long for a system call, short for an operator

struct elastic {
    struct pons_pool_policy base;

    /* Set once. */
    const struct pons_host *host;
    uint32_t min, max;
    uint32_t slow_max; // slow jobs that run at a time
    uint64_t keepalive_ns, launch_interval_ns;

    /* The pool's lock guards them. */
    uint32_t limit;      // of threads: max, or what the system allows
    uint32_t refused;    // view.spawn_refused when `limit` was set
    uint32_t last_class; // the last pick: classes take turns
    uint64_t limited_ns; // when `limit` was set
    uint64_t next_launch_ns;
};

static struct elastic *
self(struct pons_pool_policy *p)
{
    return (struct elastic *)p;
}

static struct elastic *
elastic_new(const struct pons_host *host, struct pons_reason *reason)
{
    struct elastic *e = host->alloc(host, sizeof *e);

    if (e == NULL)
        (void)host->refuse(reason, -ENOMEM, "no memory for the policy");
    else
        e->host = host;
    return e;
}

static int
elastic_open(struct pons_pool_policy **out, const struct pons_config *config,
             const struct pons_host *host, struct pons_reason *reason)
{
    uint64_t min = host->config_uint(config, "min");
    uint64_t max = host->config_uint(config, "max");
    struct elastic *e;

    if (min > max)
        return host->refuse(reason, -EINVAL,
                            "min=%llu is more than max=%llu; lower min or "
                            "raise max",
                            (unsigned long long)min, (unsigned long long)max);
    e = elastic_new(host, reason);
    if (e == NULL)
        return -ENOMEM;
    e->min = (uint32_t)min;
    e->max = e->limit = e->slow_max = (uint32_t)max;
    e->keepalive_ns = host->config_uint(config, "keepalive");
    e->launch_interval_ns = host->config_uint(config, "launch_interval");
    *out = &e->base;
    return 0;
}

static int
fixed_open(struct pons_pool_policy **out, const struct pons_config *config,
           const struct pons_host *host, struct pons_reason *reason)
{
    struct elastic *e = elastic_new(host, reason);

    if (e == NULL)
        return -ENOMEM;
    e->max = e->limit = (uint32_t)host->config_uint(config, "threads");
    e->min = host->config_uint(config, "eager") ? e->max : 0;
    e->slow_max = (e->max + 1) / 2;
    e->keepalive_ns = PONS_POOL_FOREVER;
    *out = &e->base;
    return 0;
}

static void
elastic_close(struct pons_pool_policy *p)
{
    struct elastic *e = self(p);

    e->host->free(e->host, e, sizeof *e);
}

static struct pons_pool_admission
elastic_on_submit(struct pons_pool_policy *p, const struct pons_pool_view *v,
                  const struct pons_job *job)
{
    struct elastic *e = self(p);

    if (v->threads == 0) // the core starts the first one unasked (B2)
        e->next_launch_ns = v->now_ns + e->launch_interval_ns;
    return (struct pons_pool_admission){PONS_POOL_ENQUEUE, job->job_class};
}

/* From which class a job could be taken now, the other one than last time if
 * both have some. */
static uint32_t
elastic_choose(const struct elastic *e, const struct pons_pool_view *v)
{
    int normal = v->queued_class[PONS_CLASS_NORMAL] > 0;
    int slow = v->queued_class[PONS_CLASS_SLOW] > 0 &&
               v->busy_class[PONS_CLASS_SLOW] < e->slow_max;
    uint32_t busy =
        v->busy_class[PONS_CLASS_NORMAL] + v->busy_class[PONS_CLASS_SLOW];

    if (busy >= e->max)
        return PONS_POOL_NONE; // a job that waited has come back
    if (normal && slow)
        return e->last_class == PONS_CLASS_SLOW ? PONS_CLASS_NORMAL
                                                : PONS_CLASS_SLOW;
    if (normal)
        return PONS_CLASS_NORMAL;
    return slow ? PONS_CLASS_SLOW : PONS_POOL_NONE;
}

static uint32_t
elastic_pick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    struct elastic *e = self(p);
    uint32_t k = elastic_choose(e, v);

    if (k != PONS_POOL_NONE)
        e->last_class = k;
    return k;
}

static void
elastic_heed_refusals(struct elastic *e, const struct pons_pool_view *v)
{
    if (v->spawn_refused != e->refused) {
        e->refused = v->spawn_refused;
        e->limit = v->threads > 1 ? v->threads : 1;
        e->limited_ns = v->now_ns;
    } else if (v->threads < e->limit ||
               v->now_ns - e->limited_ns >= REFUSED_NS) {
        e->limit = e->max;
    }
}

static struct pons_pool_target
elastic_on_tick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    struct elastic *e = self(p);
    struct pons_pool_target want = {.threads = v->threads};

    elastic_heed_refusals(e, v);
    if (v->threads < e->min && v->threads < e->limit) {
        want.threads = e->min;
    } else if (v->idle == 0 && v->threads < e->limit &&
               elastic_choose(e, v) != PONS_POOL_NONE) {
        want.threads = v->threads + 1;
        if (e->next_launch_ns < v->now_ns)
            e->next_launch_ns = v->now_ns;
        want.not_before_ns = e->next_launch_ns;
        e->next_launch_ns += e->launch_interval_ns;
    }
    return want;
}

static uint64_t
elastic_on_idle(struct pons_pool_policy *p, const struct pons_pool_view *v,
                uint64_t parked_ns)
{
    struct elastic *e = self(p);

    if (v->threads > e->max)
        return PONS_POOL_EXIT;
    if (v->threads <= e->min)
        return PONS_POOL_FOREVER;
    if (parked_ns >= e->keepalive_ns)
        return PONS_POOL_EXIT;
    return e->keepalive_ns - parked_ns;
}

static const struct pons_pool_ops elastic_ops = {
    .abi = PONS_ABI,
    .size = sizeof elastic_ops,
    .name = "elastic",
    .open = elastic_open,
    .close = elastic_close,
    .on_submit = elastic_on_submit,
    .on_tick = elastic_on_tick,
    .on_idle = elastic_on_idle,
    .pick = elastic_pick,
};

static const struct pons_pool_ops fixed_ops = {
    .abi = PONS_ABI,
    .size = sizeof fixed_ops,
    .name = "fixed",
    .open = fixed_open,
    .close = elastic_close,
    .on_submit = elastic_on_submit,
    .on_tick = elastic_on_tick,
    .on_idle = elastic_on_idle,
    .pick = elastic_pick,
};

static const struct pons_option elastic_options[] = {
    {.name = "max",
     .type = PONS_OPTION_UINT,
     .fallback = "512",
     .min = 1,
     .max = 10000,
     .help = "threads at most"},
    {.name = "min",
     .type = PONS_OPTION_UINT,
     .fallback = "0",
     .min = 0,
     .max = 10000,
     .help = "threads that are started at once, and kept"},
    {.name = "keepalive",
     .type = PONS_OPTION_DURATION,
     .fallback = "10s",
     .min = 1,
     .max = 86400 * SECOND,
     .help = "how long a thread is idle before it ends"},
    {.name = "launch_interval",
     .type = PONS_OPTION_DURATION,
     .fallback = "0s",
     .min = 0,
     .max = SECOND,
     .help = "at least so long between two threads that begin"},
    {0},
};

static const struct pons_option fixed_options[] = {
    {.name = "threads",
     .type = PONS_OPTION_UINT,
     .fallback = "4",
     .min = 1,
     .max = 1024,
     .help = "threads; slow jobs use at most half of them, rounded up"},
    {.name = "eager",
     .type = PONS_OPTION_BOOL,
     .fallback = "no",
     .help = "start them all at once, not when there is work"},
    {0},
};

static const struct pons_engine engines[] = {
    {.kind = PONS_KIND_POOL,
     .rank = 20,
     .name = "elastic",
     .summary = "grows on demand, shrinks after a while",
     .options = elastic_options,
     .table = &elastic_ops},
    {.kind = PONS_KIND_POOL,
     .rank = 10,
     .name = "fixed",
     .summary = "a fixed number of threads, with room beside slow jobs",
     .options = fixed_options,
     .table = &fixed_ops},
    {0},
};

static const struct pons_plugin plugin = {
    .abi = PONS_ABI,
    .size = sizeof plugin,
    .name = "thread-pools", // not an engine's: PONS_PLUGINS_DISABLE knows both
    .version = PONS_VERSION,
    .licence = "MIT",
    .engines = engines,
};

PONS_PLUGIN(plugin, "thread-pools", PONS_VERSION, "MIT",
            "pool:elastic,pool:fixed")
