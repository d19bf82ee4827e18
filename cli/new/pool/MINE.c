/* SPDX-License-Identifier: MIT */
/*
 * MINE.c - the pool policy MINE. The contract: pons/pool.h, B1 to B11.
 *
 * A thread for every job, up to `threads`; one that was idle for `keepalive`
 * ends. Normal and slow jobs take turns. With `queue` set, jobs beyond so many
 * that would wait are refused: a program that is overrun hears of it.
 *
 * Every function answers from the view and its own fields, which the pool's
 * lock guards: no system call, no lock, no clock (now_ns is in the view).
 */

#include <pons/pool.h>

#include <errno.h>

struct MINE_policy {
    struct pons_pool_policy base;

    /* Set once. */
    const struct pons_host *host;
    uint32_t threads; // at most
    uint32_t queue;   // of jobs that wait, at most; 0: as many as there are
    uint64_t keepalive_ns;

    uint32_t last_class; // the last pick
};

static struct MINE_policy *
self(struct pons_pool_policy *p)
{
    return pons_container_of(p, struct MINE_policy, base);
}

static int
MINE_open(struct pons_pool_policy **out, const struct pons_config *config,
          const struct pons_host *host, struct pons_reason *reason)
{
    struct MINE_policy *m = host->alloc(host, sizeof *m);

    if (m == NULL)
        return host->refuse(reason, -ENOMEM, "no memory for the policy");
    m->host = host;
    m->threads = (uint32_t)host->config_uint(config, "threads");
    m->queue = (uint32_t)host->config_uint(config, "queue");
    m->keepalive_ns = host->config_uint(config, "keepalive");
    *out = &m->base;
    return 0;
}

static void
MINE_close(struct pons_pool_policy *p)
{
    struct MINE_policy *m = self(p);

    m->host->free(m->host, m, sizeof *m);
}

static uint32_t
MINE_sum(const uint32_t of_class[PONS_CLASSES])
{
    return of_class[PONS_CLASS_NORMAL] + of_class[PONS_CLASS_SLOW];
}

/* Those that run and those that wait. */
static uint32_t
MINE_jobs(const struct pons_pool_view *v)
{
    return MINE_sum(v->busy_class) + MINE_sum(v->queued_class);
}

static struct pons_pool_admission
MINE_on_submit(struct pons_pool_policy *p, const struct pons_pool_view *v,
               const struct pons_job *job)
{
    const struct MINE_policy *m = self(p);
    struct pons_pool_admission a = {PONS_POOL_ENQUEUE, job->job_class};

    if (m->queue > 0 && MINE_jobs(v) >= m->threads + m->queue)
        a.verdict = PONS_POOL_REFUSE;
    return a;
}

static struct pons_pool_target
MINE_on_tick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    const struct MINE_policy *m = self(p);
    struct pons_pool_target want = {.threads = MINE_jobs(v)};

    if (want.threads > m->threads)
        want.threads = m->threads;
    return want;
}

/* There may be too many for once: each that waited for a job has come back. */
static uint64_t
MINE_on_idle(struct pons_pool_policy *p, const struct pons_pool_view *v,
             uint64_t parked_ns)
{
    const struct MINE_policy *m = self(p);

    if (v->threads > m->threads || parked_ns >= m->keepalive_ns)
        return PONS_POOL_EXIT;
    return m->keepalive_ns - parked_ns;
}

static uint32_t
MINE_pick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    struct MINE_policy *m = self(p);
    uint32_t other = m->last_class == PONS_CLASS_NORMAL ? PONS_CLASS_SLOW
                                                        : PONS_CLASS_NORMAL;

    if (MINE_sum(v->busy_class) >= m->threads)
        return PONS_POOL_NONE; // the core asks again when a job has ended
    if (v->queued_class[other] > 0)
        m->last_class = other;
    return m->last_class;
}

static const struct pons_pool_ops MINE_ops = {
    .abi = PONS_ABI,
    .size = sizeof MINE_ops,
    .name = "MINE",
    .open = MINE_open,
    .close = MINE_close,
    .on_submit = MINE_on_submit,
    .on_tick = MINE_on_tick,
    .on_idle = MINE_on_idle,
    .pick = MINE_pick,
};

#define SECOND UINT64_C(1000000000)

static const struct pons_option MINE_options[] = {
    {.name = "threads",
     .type = PONS_OPTION_UINT,
     .fallback = "16",
     .min = 1,
     .max = 1024,
     .help = "threads at most"},
    {.name = "queue",
     .type = PONS_OPTION_UINT,
     .fallback = "0",
     .min = 0,
     .max = 1000000,
     .help = "jobs that may wait, more are refused; 0: as many as there are"},
    {.name = "keepalive",
     .type = PONS_OPTION_DURATION,
     .fallback = "5s",
     .min = 1,
     .max = 3600 * SECOND,
     .help = "how long a thread is idle before it ends"},
    {0},
};

static const struct pons_engine MINE_engines[] = {
    {.kind = PONS_KIND_POOL,
     .rank = 0, // `auto` never takes it by itself
     .name = "MINE",
     .summary = "a thread for every job, up to a limit",
     .options = MINE_options,
     .table = &MINE_ops},
    {0},
};

static const struct pons_plugin MINE_plugin = {
    .abi = PONS_ABI,
    .size = sizeof MINE_plugin,
    .name = "MINE",
    .version = "0.1.0",
    .licence = "MIT",
    .engines = MINE_engines,
};

PONS_PLUGIN(MINE_plugin, "MINE", "0.1.0", "MIT", "pool:MINE")
