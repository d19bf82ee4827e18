/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/glib/many.c - many sources that wait, of which few are active, or
 * all are destroyed at once. A context polls all of its descriptors anew in
 * every turn.
 */

#include <glib-unix.h>

#include "glib_peer.h"
#include "pairs.h"
#include "pipes.h"

static GSource *
reader_new(GMainContext *context, int fd, GUnixFDSourceFunc ready, void *arg)
{
    GSource *s = g_unix_fd_source_new(fd, G_IO_IN);

    g_source_set_callback(s, G_SOURCE_FUNC(ready), arg, NULL);
    g_source_attach(s, context);
    return s;
}

static void
sources_free(GSource **sources, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        g_source_destroy(sources[i]);
        g_source_unref(sources[i]);
    }
}

/* --- fanin --- */

enum { FEWER = 4 }; // 500 descriptors are looked at for each 5

struct passer {
    unsigned pipe;
    uint64_t *done; // passes, of all
};

static gboolean
passer_ready(gint fd, GIOCondition what, gpointer arg)
{
    struct passer *p = arg;

    (void)fd;
    (void)what;
    pipes_pass(p->pipe);
    ++*p->done;
    return G_SOURCE_CONTINUE;
}

static void
fanin_run(struct bench_run *r)
{
    uint64_t passes = bench_ops(r, PASSES / FEWER), done = 0;
    GMainContext *context;
    struct passer passers[PIPES];
    GSource *sources[PIPES];

    if (!pipes_open(r))
        return;
    context = g_main_context_new();
    for (unsigned i = 0; i < PIPES; i++) {
        passers[i] = (struct passer){i, &done};
        sources[i] =
            reader_new(context, pipes[i][0], passer_ready, &passers[i]);
    }
    bench_start(r);
    pipes_serve();
    while (done < passes)
        g_main_context_iteration(context, TRUE);
    bench_stop(r, done);
    sources_free(sources, PIPES);
    g_main_context_unref(context);
    pipes_close();
}

PEER_FANIN(glib,
           "500 g_unix_fd_source_new(), each on a pipe; 5 bytes go round, each "
           "is read and written into the next pipe",
           "many active at once; sockets");

/* --- cancel_storm --- */

/* All wait already. */
static void
storm(struct bench_run *r, GMainContext *context, GSource **sources,
      unsigned count)
{
    g_main_context_iteration(context, FALSE);
    bench_start(r);
    sources_free(sources, count);
    g_main_context_iteration(context, FALSE);
    bench_stop(r, count);
    g_main_context_unref(context);
}

static gboolean
timer_ended(void *arg)
{
    (void)arg;
    bench_must(0, "a timer that was far away");
    return G_SOURCE_REMOVE;
}

static void
storm_sleeping(struct bench_run *r)
{
    GMainContext *context = g_main_context_new();
    GSource *timers[STORM_SLEEPERS];

    for (unsigned i = 0; i < STORM_SLEEPERS; i++) {
        timers[i] = g_timeout_source_new(FAR_MS);
        g_source_set_callback(timers[i], timer_ended, NULL, NULL);
        g_source_attach(timers[i], context);
    }
    storm(r, context, timers, STORM_SLEEPERS);
}

static gboolean
receiver_ready(gint fd, GIOCondition what, gpointer arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    bench_must(0, "a receiver of nothing");
    return G_SOURCE_REMOVE;
}

static void
storm_receiving(struct bench_run *r)
{
    GSource *receivers[STORM_RECEIVERS];
    GMainContext *context;

    if (!pairs_open(r, SOCK_NONBLOCK))
        return;
    context = g_main_context_new();
    for (unsigned i = 0; i < STORM_RECEIVERS; i++)
        receivers[i] = reader_new(context, pairs[i][0], receiver_ready, NULL);
    storm(r, context, receivers, STORM_RECEIVERS);
    pairs_close(1);
}

PEER_CANCEL_STORM(glib,
                  "10,000 timeout sources, or 1000 of a socket each, are "
                  "destroyed, and the context is iterated once",
                  "nobody is told that a wait was given up");
