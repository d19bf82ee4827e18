/* SPDX-License-Identifier: MIT */
/*
 * core/sigpipe.c - the classical way without SIGPIPE: block it, write, take it
 * back if it is our own.
 *
 * A write sends it to the calling thread, so no other thread sees it; one that
 * was pending before stays.
 */

#include "sigpipe.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

static sigset_t
sigpipe_only(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    return set;
}

void
poni_sigpipe_begin(struct poni_sigpipe *s)
{
    sigset_t only = sigpipe_only(), pending;

    sigemptyset(&pending);
    (void)sigpending(&pending);
    s->was_pending = sigismember(&pending, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &only, &s->mask);
}

void
poni_sigpipe_end(const struct poni_sigpipe *s, int failed)
{
    const struct timespec at_once = {0};
    sigset_t only = sigpipe_only();
    int err = errno;

    if (failed && err == EPIPE && !s->was_pending)
        while (sigtimedwait(&only, NULL, &at_once) < 0 && errno == EINTR)
            continue;
    pthread_sigmask(SIG_SETMASK, &s->mask, NULL);
    errno = err;
}
