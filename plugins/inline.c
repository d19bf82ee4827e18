/* SPDX-License-Identifier: MIT */
/*
 * plugins/inline.c - the reference pool policy: no thread waits for jobs.
 *
 * Each job is run by its submitter, who waits meanwhile. For tests, and the
 * file to copy when you write a policy: the plainest answers that keep the
 * rules of pons/pool.h. Where the core may not run a job on its submitter, a
 * task, it is queued: then a thread is started for it, which ends when no job
 * is queued. No job waits behind another.
 */

#include "pons/pool.h"

#include <errno.h>

struct inline_policy {
    struct pons_pool_policy base;
    const struct pons_host *host;
};

static int
inline_open(struct pons_pool_policy **out, const struct pons_config *config,
            const struct pons_host *host, struct pons_reason *reason)
{
    struct inline_policy *p = host->alloc(host, sizeof *p);

    (void)config;
    if (p == NULL)
        return host->refuse(reason, -ENOMEM, "no memory for the policy");
    p->host = host;
    *out = &p->base;
    return 0;
}

static void
inline_close(struct pons_pool_policy *base)
{
    struct inline_policy *p = (struct inline_policy *)base;

    p->host->free(p->host, p, sizeof *p);
}

static struct pons_pool_admission
inline_on_submit(struct pons_pool_policy *p, const struct pons_pool_view *v,
                 const struct pons_job *job)
{
    (void)p;
    (void)v;
    return (struct pons_pool_admission){PONS_POOL_RUN_HERE, job->job_class};
}

static struct pons_pool_target
inline_on_tick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    uint32_t queued = 0;

    (void)p;
    for (int i = 0; i < PONS_CLASSES; i++)
        queued += v->queued_class[i];
    return (struct pons_pool_target){.threads = v->threads - v->idle + queued};
}

static uint64_t
inline_on_idle(struct pons_pool_policy *p, const struct pons_pool_view *v,
               uint64_t parked_ns)
{
    (void)p;
    (void)v;
    (void)parked_ns;
    return PONS_POOL_EXIT;
}

static uint32_t
inline_pick(struct pons_pool_policy *p, const struct pons_pool_view *v)
{
    (void)p;
    return v->queued_class[PONS_CLASS_NORMAL] > 0 ? PONS_CLASS_NORMAL
                                                  : PONS_CLASS_SLOW;
}

static const struct pons_pool_ops inline_ops = {
    .abi = PONS_ABI,
    .size = sizeof inline_ops,
    .name = "inline",
    .open = inline_open,
    .close = inline_close,
    .on_submit = inline_on_submit,
    .on_tick = inline_on_tick,
    .on_idle = inline_on_idle,
    .pick = inline_pick,
};

static const struct pons_engine engines[] = {
    {.kind = PONS_KIND_POOL,
     .rank = 0,
     .name = "inline",
     .summary = "each job runs on the thread that submits it; for tests",
     .table = &inline_ops},
    {0},
};

static const struct pons_plugin plugin = {
    .abi = PONS_ABI,
    .size = sizeof plugin,
    .name = "inline",
    .version = PONS_VERSION,
    .licence = "MIT",
    .engines = engines,
};

PONS_PLUGIN(plugin, "inline", PONS_VERSION, "MIT", "pool:inline")
