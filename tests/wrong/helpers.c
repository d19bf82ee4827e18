/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/helpers.c - breaks R12: there is a thread that nobody knows
 * of, until close.
 */

#include "adapted.h"

#include <pthread.h>

static void *
helpers_wait(void *arg)
{
    char c;

    (void)!read((int)(uintptr_t)arg, &c, 1);
    return NULL;
}

struct helpers {
    pthread_t thread;
    int bed[2]; // a pipe; what comes ends the thread
};

static void
helpers_free(struct pons_reactor *r, int joins)
{
    struct helpers *h = (struct helpers *)*adapted_state(r);
    const struct pons_host *host = self(r)->host;

    if (joins) {
        (void)!write(h->bed[1], "", 1);
        pthread_join(h->thread, NULL);
    }
    close(h->bed[0]);
    close(h->bed[1]);
    host->free(host, h, sizeof *h);
}

static void
helpers_close(struct pons_reactor *r)
{
    helpers_free(r, 1);
    adapter_close(r);
}

static void
helpers_forked(struct pons_reactor *r)
{
    helpers_free(r, 0);
    adapter_forked(r);
}

static int
helpers_open(struct pons_reactor **out, const struct pons_config *config,
             const struct pons_host *host, struct pons_reason *reason)
{
    struct helpers *h = host->alloc(host, sizeof *h);
    int err;

    if (h == NULL)
        return host->refuse(reason, -ENOMEM, "no memory for the helper");
    if (pipe(h->bed) < 0) {
        err = host->refuse(reason, -errno, "pipe: %s", strerror(errno));
        goto free_helpers;
    }
    err = adapted_open(out, config, host, reason);
    if (err < 0)
        goto close_bed;
    *adapted_state(*out) = (uintptr_t)h;
    (void)pthread_create(&h->thread, NULL, helpers_wait,
                         (void *)(uintptr_t)h->bed[0]);
    return 0;

close_bed:
    close(h->bed[0]);
    close(h->bed[1]);
free_helpers:
    host->free(host, h, sizeof *h);
    return err;
}

REACTOR("helpers", adapted_ops.open = helpers_open,
        adapted_ops.close = helpers_close, adapted_ops.forked = helpers_forked)
