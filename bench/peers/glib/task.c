/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/glib/task.c - calls given to other threads by GTask, whose end is
 * told to the main context. The threads are GTask's own pool.
 */

#include "glib_peer.h"

enum { FEWER = 8 }; // a GTask costs many times what others' jobs cost

static void
job(GTask *task, void *source, void *data, GCancellable *cancellable)
{
    (void)source;
    (void)data;
    (void)cancellable;
    g_task_return_int(task, 0);
}

/* done(NULL, task, arg) is called by the thread-default context. */
static void
job_queue(GAsyncReadyCallback done, void *arg)
{
    GTask *task = g_task_new(NULL, NULL, done, arg);

    g_task_run_in_thread(task, job);
    g_object_unref(task);
}

static void
job_end(GAsyncResult *result)
{
    bench_must(g_task_propagate_int(G_TASK(result), NULL) == 0, "a job");
}

/* --- blocking_roundtrip --- */

static void
caller_done(GObject *source, GAsyncResult *result, void *arg)
{
    uint64_t *left = arg;

    (void)source;
    job_end(result);
    if (--*left > 0)
        job_queue(caller_done, left);
}

static gboolean
busy_turn(void *arg)
{
    uint64_t *left = arg;

    return *left > 0 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void
roundtrip_run(struct bench_run *r, int busy)
{
    GMainContext *context = g_main_context_new();
    uint64_t jobs = bench_ops(r, JOBS), left = jobs;

    g_main_context_push_thread_default(context);
    if (busy)
        glib_idle(context, busy_turn, &left);
    bench_start(r);
    job_queue(caller_done, &left);
    while (left > 0)
        g_main_context_iteration(context, TRUE);
    bench_stop(r, jobs);
    g_main_context_pop_thread_default(context);
    g_main_context_unref(context);
}

PEER_BLOCKING_ROUNDTRIP(glib,
                        "g_task_run_in_thread() of nothing, one at a time; "
                        "busy: an idle source keeps the loop turning");

/* --- blocking_throughput --- */

struct submitter {
    uint64_t rounds;
    unsigned missing;     // of this round
    unsigned *submitters; // how many have not ended
};

static void
submitter_round(struct submitter *s, GAsyncReadyCallback done)
{
    s->missing = AT_ONCE;
    for (int i = 0; i < AT_ONCE; i++)
        job_queue(done, s);
}

static void
submitter_done(GObject *source, GAsyncResult *result, void *arg)
{
    struct submitter *s = arg;

    (void)source;
    job_end(result);
    if (--s->missing > 0)
        return;
    if (--s->rounds > 0)
        submitter_round(s, submitter_done);
    else
        --*s->submitters;
}

static void
throughput_run(struct bench_run *r, unsigned submitters)
{
    GMainContext *context = g_main_context_new();
    uint64_t each = bench_ops(r, AT_ONCE_ROUNDS / FEWER) / submitters + 1;
    struct submitter all[SUBMITTERS_MAX];
    unsigned left = submitters;

    g_main_context_push_thread_default(context);
    bench_start(r);
    for (unsigned i = 0; i < submitters; i++) {
        all[i].rounds = each;
        all[i].submitters = &left;
        submitter_round(&all[i], submitter_done);
    }
    while (left > 0)
        g_main_context_iteration(context, TRUE);
    bench_stop(r, submitters * each * AT_ONCE);
    g_main_context_pop_thread_default(context);
    g_main_context_unref(context);
}

PEER_BLOCKING_THROUGHPUT(glib,
                         "1, 4 or 16 times 256 calls of "
                         "g_task_run_in_thread() at once, and again when all "
                         "of them have ended");
