/* SPDX-License-Identifier: MIT */
#ifndef BACKENDS_LIBEV_FAILURE_H
#define BACKENDS_LIBEV_FAILURE_H

/*
 * backends/libev_failure.h - a turn of a loop of libev's, when the call by
 * which it waits fails.
 *
 * libev then ends the process, unless the process has a callback for that. We
 * set one: in a turn of ours a failure is noted, and is the end of that loop
 * alone; any other ends the process as before, with the same line.
 *
 * The trap is that libev has one callback for all and does not tell which. So
 * ours is set once, by the first open(): a program that has its own sets it
 * again after that, and loses nothing but what stands here.
 */

#include "pons/plugin.h"

#include <errno.h>
#include <ev.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a loop of ours. */
struct libev_failure {
    const struct pons_host *host;
    int err; // 0, or -errno: the loop makes no more turns
};

static __thread struct libev_failure *libev_in_turn; // of this thread

/* The turn goes on after it, to its end. */
static void
libev_failed(const char *call)
{
    struct libev_failure *f = libev_in_turn;
    int err = errno;

    if (f == NULL) {
        perror(call);
        abort();
    }
    f->err = -err;
    f->host->log(f->host, PONS_LOG_ERROR, "libev", "%s: %s", call,
                 strerror(err));
}

static inline void
libev_failure_listen(void)
{
    ev_set_syserr_cb(libev_failed);
}

/* Any thread. */
static inline void
libev_failure_init(struct libev_failure *f, const struct pons_host *host)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    f->host = host;
    pthread_once(&once, libev_failure_listen);
}

/* A turn. 0, or -errno. */
static inline int
libev_failure_run(struct libev_failure *f, struct ev_loop *loop, int how)
{
    if (f->err < 0)
        return f->err;
    libev_in_turn = f;
    ev_run(loop, how);
    libev_in_turn = NULL;
    return f->err;
}

#endif /* BACKENDS_LIBEV_FAILURE_H */
