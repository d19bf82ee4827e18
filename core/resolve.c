/* SPDX-License-Identifier: MIT */
/*
 * core/resolve.c - see core/resolve.h.
 */

#include "resolve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "lock.h"
#include "runtime.h"
#include "self.h"

void
poni_resolve_unref(struct poni_resolve *l)
{
    if (poni_sub(&l->refs, 1) != 1)
        return;
    if (l->found != NULL)
        freeaddrinfo(l->found);
    free(l);
}

struct poni_resolve *
poni_resolve_new(const char *host, const char *service, int flags)
{
    size_t host_size = host != NULL ? strlen(host) + 1 : 0;
    size_t service_size = strlen(service) + 1;
    struct poni_resolve *l = calloc(1, sizeof *l + host_size + service_size);

    if (l == NULL)
        return NULL;
    l->refs = 1;
    l->flags = flags;
    l->service = memcpy(l->names, service, service_size);
    if (host != NULL)
        l->host = memcpy(l->names + service_size, host, host_size);
    return l;
}

static int64_t
resolve_run(void *arg)
{
    struct poni_resolve *l = arg;
    struct addrinfo want = {.ai_family = AF_UNSPEC,
                            .ai_socktype = SOCK_STREAM,
                            .ai_flags = l->flags};

    l->error = getaddrinfo(l->host, l->service, &want, &l->found);
    l->system_error = errno;
    return 0;
}

static void
resolve_done(struct pons_job *job)
{
    struct poni_resolve *l = pons_container_of(job, struct poni_resolve, job);
    struct pons_waker w = {NULL, NULL};

    poni_lock(&l->lock);
    if (job->result == -ECANCELED && l->error == 0 && l->found == NULL) {
        l->error = EAI_SYSTEM;
        l->system_error = ECANCELED;
    }
    if (l->state == RESOLVE_PENDING) {
        l->state = RESOLVE_DONE;
        w = l->waker;
        l->waker = (struct pons_waker){NULL, NULL};
    }
    poni_unlock(&l->lock);
    pons_waker_wake(&w);
    poni_resolve_unref(l);
}

/* Numbers need no pool, and no waiting. ::1 is good without any other IPv6. */
static int
resolve_is_numeric(struct poni_resolve *l)
{
    int flags = l->flags;

    l->flags = (flags & ~AI_ADDRCONFIG) | AI_NUMERICHOST;
    (void)resolve_run(l);
    l->flags = flags;
    if (l->error == 0)
        return 1;
    l->error = 0;
    return 0;
}

int
poni_resolve_begin(struct poni_resolve *l)
{
    struct pons_runtime *rt = pons_runtime_current();
    int err;

    if (l->host == NULL || resolve_is_numeric(l)) {
        if (l->host == NULL)
            (void)resolve_run(l);
        l->state = RESOLVE_DONE;
        return 0;
    }
    l->job = (struct pons_job){.fn = resolve_run,
                               .arg = l,
                               .done = resolve_done,
                               .name = "getaddrinfo"};
    if (rt == NULL || poni_runtime_check(rt) < 0 ||
        poni_pool_current_job() != NULL) {
        (void)resolve_run(l); // without a runtime the call is the call
        l->state = RESOLVE_DONE;
        return 0;
    }
    poni_add_relaxed(&l->refs, 1);
    err = poni_pool_submit(rt->pool, &l->job, 0);
    if (err < 0)
        poni_resolve_unref(l);
    return err;
}

int
poni_resolve_wait(struct poni_resolve *l, struct pons_waker *w)
{
    int done;

    poni_lock(&l->lock);
    done = l->state == RESOLVE_DONE;
    if (!done)
        pons_waker_set(&l->waker, w);
    poni_unlock(&l->lock);
    return done;
}

void
poni_resolve_abandon(struct poni_resolve *l)
{
    struct pons_waker w;

    poni_lock(&l->lock);
    if (l->state == RESOLVE_PENDING)
        l->state = RESOLVE_ABANDONED;
    w = l->waker;
    l->waker = (struct pons_waker){NULL, NULL};
    poni_unlock(&l->lock);
    pons_waker_drop(&w);
}

static int
resolve_errno(const struct poni_resolve *l)
{
    switch (l->error) {
    case 0:
        return 0;
    case EAI_SYSTEM:
        return -l->system_error;
    case EAI_MEMORY:
        return -ENOMEM;
    case EAI_AGAIN:
        return -EHOSTUNREACH;
    default:
        return -ENOENT;
    }
}

int
poni_resolve_failure(const struct poni_resolve *l)
{
    int err = resolve_errno(l);

    if (err < 0 && err != -ECANCELED)
        (void)poni_fail(err, "\"%s\" port \"%s\": %s", l->host ? l->host : "*",
                        l->service,
                        l->error == EAI_SYSTEM ? strerror(l->system_error)
                                               : gai_strerror(l->error));
    return err;
}
