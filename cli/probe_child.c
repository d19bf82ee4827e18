/* SPDX-License-Identifier: MIT */
/*
 * cli/probe_child.c - see cli/probe_child.h.
 *
 * What the child finds out is in memory that it shares with its parent, from
 * the first call on: so a child that did not come back has said where it was.
 * It may have scribbled over that, too, and nothing there is believed to be a
 * text with an end.
 */

#include "probe_child.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "bench_child.h"
#include "pons/error.h"
#include "pons/poller.h"

struct probe_job {
    char *argv[2]; // what bench_child_run() passes on: how the job is found
    struct poni_entry *entry;
    const struct poni_item *item;
    struct probe_result *shared;
};

/* ---- in the child ---- */

static void
result_set(struct probe_result *r, enum probe_verdict verdict, const char *why)
{
    snprintf(r->sentence, sizeof r->sentence, "%s", why);
    r->verdict = verdict;
}

static void
job_open(const struct probe_job *job, const struct pons_config *config)
{
    const struct pons_engine *engine = job->entry->engine;
    struct probe_result *r = job->shared;
    struct pons_reason reason = {""};
    int err = poni_probe(&r->probed, engine, config, &reason);

    r->caps = r->probed.caps;
    if (engine->kind == PONS_KIND_POLLER)
        r->caps = ((const struct pons_poller_ops *)engine->table)->caps;
    if (err < 0)
        result_set(r, PROBE_REFUSED,
                   reason.text[0] != '\0' ? reason.text : strerror(-err));
    else
        result_set(r, PROBE_WORKS, "");
}

static int
job_run(char *const *argv)
{
    const struct probe_job *job = (const struct probe_job *)(const void *)argv;
    const struct rlimit no_core = {0, 0};
    struct pons_reason reason = {""};
    struct pons_config *config;

    setrlimit(RLIMIT_CORE, &no_core); // a crash here is no accident
    if (poni_entry_try(job->entry, &reason) < 0) {
        result_set(job->shared, PROBE_REFUSED, reason.text);
        return 0;
    }
    if (poni_config_new(&config, "probe", job->entry->name,
                        job->entry->engine->options, job->item->pairs,
                        job->item->pair_count) < 0) {
        result_set(job->shared, PROBE_MISUSED, pons_last_error());
        return 0;
    }
    job_open(job, config);
    poni_config_free(config);
    return 0;
}

/* ---- in the parent ---- */

static const char *
stage_words(enum poni_probe_stage stage)
{
    switch (stage) {
    case PROBE_LOAD:
        return "while it was loaded";
    case PROBE_OPEN:
        return "in open()";
    case PROBE_BIND:
        return "in bind()";
    case PROBE_CLOSE:
        return "in close()";
    case PROBE_ENDED:
        break;
    }
    return "after close()";
}

static void
result_of_death(struct probe_result *r, const struct bench_ended *ended)
{
    char why[512];

    bench_child_why(ended, why, sizeof why);
    snprintf(r->sentence, sizeof r->sentence, "its process died %s: %s",
             stage_words(r->probed.stage), why);
    r->verdict = PROBE_DIED;
}

static void
result_of_lateness(struct probe_result *r, uint64_t limit_ns)
{
    char limit[32];

    poni_duration_write(limit, sizeof limit, limit_ns);
    snprintf(r->sentence, sizeof r->sentence,
             "%s: it has not come back after %s", stage_words(r->probed.stage),
             limit);
    r->verdict = PROBE_LATE;
}

static int
job_follow(const struct probe_job *job, uint64_t limit_ns,
           struct probe_result *out)
{
    const struct bench_child child = {.argv = job->argv,
                                      .tracer = job_run,
                                      .limit_ns = limit_ns,
                                      .cpu = -1,
                                      .interrupt = -1};
    struct bench_ended *ended = malloc(sizeof *ended);
    int err;

    if (ended == NULL)
        return -ENOMEM;
    err = bench_child_run(&child, ended);
    *out = *job->shared;
    out->sentence[sizeof out->sentence - 1] = '\0';
    if (err == -ETIME)
        result_of_lateness(out, limit_ns);
    else if (err == 0 && (out->verdict == PROBE_DIED || ended->status != 0))
        result_of_death(out, ended);
    free(ended);
    return err == -ETIME ? 0 : err;
}

int
probe_child_run(struct probe_result *out, struct poni_entry *e,
                const struct poni_item *item, uint64_t limit_ns)
{
    struct probe_job job = {.argv = {"probe", NULL}, .entry = e, .item = item};
    void *shared = mmap(NULL, sizeof *job.shared, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int err;

    if (shared == MAP_FAILED)
        return -errno;
    job.shared = shared;
    err = job_follow(&job, limit_ns, out);
    munmap(shared, sizeof *job.shared);
    return err;
}
