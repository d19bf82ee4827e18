/* SPDX-License-Identifier: MIT */
/*
 * core/tcp.c - connections made, ports listened on.
 */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "future.h"
#include "resolve.h"
#include "self.h"
#include "stream.h"

static int
socket_stream(struct pons_stream **out, const struct addrinfo *a)
{
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                    a->ai_protocol);
    int err;

    *out = NULL;
    if (fd < 0)
        return -errno;
    err = pons_stream_adopt(out, fd);
    if (err < 0)
        close(fd);
    return err;
}

/* --- connect --- */

/* NEW ---> LOOKS_UP ---> TRIES (one address after another) ---> ENDED; kept in
 * base.resume. base.state 1: cancelled while it looked up. */
enum connect_step {
    CONNECT_NEW,
    CONNECT_LOOKS_UP,
    CONNECT_TRIES,
    CONNECT_ENDED
};

static enum pons_poll
connect_end(struct pons_tcp_connect *c, int64_t err)
{
    if (c->lookup != NULL)
        poni_resolve_unref(c->lookup);
    c->lookup = NULL;
    c->base.resume = CONNECT_ENDED;
    return poni_ready(&c->base, err);
}

/* Begins with the next address that a socket can be made for. 0: none is left.
 */
static int
connect_next(struct pons_tcp_connect *c, const struct addrinfo *a)
{
    for (; a != NULL; a = a->ai_next) {
        c->next = (void *)(uintptr_t)a;
        c->base.result = socket_stream(&c->trying, a);
        if (c->base.result < 0)
            continue;
        pons_connect_init(&c->connect, c->trying, a->ai_addr, a->ai_addrlen);
        c->base.child = &c->connect.base;
        return 1;
    }
    return 0;
}

static enum pons_poll
connect_failed(struct pons_tcp_connect *c, int64_t err)
{
    const struct poni_resolve *l = c->lookup;

    (void)poni_fail((int)err, "\"%s\" port \"%s\": %s", l->host, l->service,
                    err == -ECANCELED ? "cancelled, or its deadline passed"
                                      : strerror((int)-err));
    return connect_end(c, err);
}

/* Address after address, until one answers. */
static enum pons_poll
connect_try(struct pons_tcp_connect *c, struct pons_waker *w)
{
    while (pons_future_poll(&c->connect.base, w) == PONS_READY) {
        int64_t err = c->connect.base.result;

        c->base.child = NULL;
        if (err == 0) {
            *c->out = c->trying;
            return connect_end(c, 0);
        }
        pons_stream_close(c->trying);
        c->trying = NULL;
        if (err == -ECANCELED ||
            !connect_next(c, ((const struct addrinfo *)c->next)->ai_next))
            return connect_failed(c, err);
    }
    return PONS_PENDING;
}

static enum pons_poll
connect_looked_up(struct pons_tcp_connect *c, struct pons_waker *w)
{
    struct poni_resolve *l = c->lookup;
    int err;

    if (c->base.state != 0)
        return connect_failed(c, -ECANCELED);
    if (!poni_resolve_wait(l, w))
        return PONS_PENDING;
    err = poni_resolve_failure(l);
    if (err < 0)
        return connect_end(c, err);
    if (!connect_next(c, l->found))
        return connect_failed(c, c->base.result);
    c->base.resume = CONNECT_TRIES;
    return connect_try(c, w);
}

static enum pons_poll
connect_poll(struct pons_future *f, struct pons_waker *w)
{
    struct pons_tcp_connect *c =
        pons_container_of(f, struct pons_tcp_connect, base);
    int err;

    switch ((enum connect_step)f->resume) {
    case CONNECT_NEW:
        poni_unpolled_remove(f);
        if (c->lookup == NULL)
            return connect_end(c,
                               poni_fail(-ENOMEM, "no memory for a look-up"));
        if (poni_cancel_due(&poni_self))
            return connect_failed(c, -ECANCELED);
        err = poni_resolve_begin(c->lookup);
        if (err < 0)
            return connect_end(c, err);
        f->resume = CONNECT_LOOKS_UP;
        PONS_FALLTHROUGH;
    case CONNECT_LOOKS_UP:
        return connect_looked_up(c, w);
    case CONNECT_TRIES:
        return connect_try(c, w);
    case CONNECT_ENDED:
        break;
    }
    return PONS_READY;
}

/* While the name is looked up the wait ends at once; later the leaf is asked.
 */
static void
connect_cancel(struct pons_future *f)
{
    struct pons_tcp_connect *c =
        pons_container_of(f, struct pons_tcp_connect, base);

    if (f->child != NULL) {
        pons_future_cancel(f->child);
    } else if (c->lookup != NULL && f->state == 0) {
        f->state = 1;
        poni_resolve_abandon(c->lookup);
    }
}

static void
connect_describe(const struct pons_future *f, char *text, size_t size)
{
    const struct pons_tcp_connect *c =
        (const struct pons_tcp_connect *)(const void *)f;
    const struct poni_resolve *l = c->lookup;

    if (l != NULL)
        (void)snprintf(text, size, "look-up of %s", l->host ? l->host : "*");
}

static const struct pons_future_ops connect_ops = {
    .size = sizeof connect_ops,
    .name = "tcp_connect",
    .poll = connect_poll,
    .cancel = connect_cancel,
    .describe = connect_describe,
};

void
pons_tcp_connect_init(struct pons_tcp_connect *c, struct pons_stream **out,
                      const char *host, const char *service)
{
    poni_future_init(&c->base, &connect_ops);
    *out = NULL;
    c->out = out;
    c->lookup = poni_resolve_new(host, service, AI_ADDRCONFIG);
    c->next = NULL;
    c->trying = NULL;
    c->reserved[0] = c->reserved[1] = 0;
}

int
pons_tcp_connect(struct pons_stream **out, const char *host,
                 const char *service)
{
    struct pons_tcp_connect c;

    if (poni_self.polling)
        return poni_refuse_poll("pons_tcp_connect()",
                                "struct pons_tcp_connect");
    pons_tcp_connect_init(&c, out, host, service);
    return (int)pons_await(&c.base);
}

/* --- listen --- */

static int
listen_on(struct pons_stream **out, const struct addrinfo *a, int backlog)
{
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                    a->ai_protocol);
    int on = 1, off = 0, err;

    if (fd < 0)
        return -errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (a->ai_family == AF_INET6) // [::] serves IPv4, too
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, a->ai_addr, a->ai_addrlen) < 0 ||
        listen(fd, backlog > 0 ? backlog : SOMAXCONN) < 0)
        err = -errno;
    else
        err = pons_stream_adopt(out, fd);
    if (err < 0)
        close(fd);
    return err;
}

/* All addresses of the family-free wildcard: IPv6 first, where there is one. */
static int
listen_first(struct pons_stream **out, const struct addrinfo *found,
             int backlog)
{
    int err = -EADDRNOTAVAIL;

    for (int wanted = 0; wanted < 2; wanted++)
        for (const struct addrinfo *a = found; a != NULL; a = a->ai_next) {
            if ((a->ai_family == AF_INET6) != (wanted == 0))
                continue;
            err = listen_on(out, a, backlog);
            if (err == 0)
                return 0;
        }
    return err;
}

static enum pons_poll
listen_end(struct pons_tcp_listen *l, int err)
{
    poni_resolve_unref(l->lookup);
    l->lookup = NULL;
    return poni_ready(&l->base, err);
}

static enum pons_poll
listen_cancelled(struct pons_tcp_listen *l)
{
    const struct poni_resolve *r = l->lookup;

    return listen_end(l, poni_fail(-ECANCELED,
                                   "listening on \"%s\" port \"%s\": "
                                   "cancelled, or its deadline passed",
                                   r->host ? r->host : "*", r->service));
}

static enum pons_poll
listen_poll(struct pons_future *f, struct pons_waker *w)
{
    struct pons_tcp_listen *l =
        pons_container_of(f, struct pons_tcp_listen, base);
    struct poni_resolve *lookup = l->lookup;
    int err;

    if (lookup == NULL)
        return poni_ready(f, poni_fail(-ENOMEM, "no memory for a look-up"));
    if (f->resume == 0) {
        f->resume = 1;
        poni_unpolled_remove(f);
        if (poni_cancel_due(&poni_self))
            return listen_cancelled(l);
        err = poni_resolve_begin(lookup);
        if (err < 0)
            return listen_end(l, err);
    }
    if (f->state != 0)
        return listen_cancelled(l);
    if (!poni_resolve_wait(lookup, w))
        return PONS_PENDING;
    err = poni_resolve_failure(lookup);
    if (err == 0) {
        err = listen_first(l->out, lookup->found, l->backlog);
        if (err < 0)
            (void)poni_fail(err, "cannot listen on \"%s\" port \"%s\": %s",
                            lookup->host ? lookup->host : "*", lookup->service,
                            strerror(-err));
    }
    return listen_end(l, err);
}

static void
listen_cancel(struct pons_future *f)
{
    struct pons_tcp_listen *l =
        pons_container_of(f, struct pons_tcp_listen, base);

    if (l->lookup != NULL && f->state == 0) {
        f->state = 1;
        poni_resolve_abandon(l->lookup);
    }
}

static const struct pons_future_ops listen_ops = {
    .size = sizeof listen_ops,
    .name = "tcp_listen",
    .poll = listen_poll,
    .cancel = listen_cancel,
};

void
pons_tcp_listen_init(struct pons_tcp_listen *l, struct pons_stream **out,
                     const char *host, const char *service, int backlog)
{
    poni_future_init(&l->base, &listen_ops);
    *out = NULL;
    l->out = out;
    l->lookup = poni_resolve_new(host, service, AI_PASSIVE);
    l->backlog = backlog;
    l->reserved0 = 0;
    l->reserved = 0;
}

int
pons_tcp_listen(struct pons_stream **out, const char *host, const char *service,
                int backlog)
{
    struct pons_tcp_listen l;

    if (poni_self.polling)
        return poni_refuse_poll("pons_tcp_listen()", "struct pons_tcp_listen");
    pons_tcp_listen_init(&l, out, host, service, backlog);
    return (int)pons_await(&l.base);
}

int
pons_tcp_port(const struct pons_stream *s)
{
    struct sockaddr_storage a;
    socklen_t size = sizeof a;

    if (getsockname(s->fd, (struct sockaddr *)&a, &size) < 0)
        return -errno;
    if (a.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)(void *)&a)->sin_port);
    if (a.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)(void *)&a)->sin6_port);
    return -EAFNOSUPPORT;
}
