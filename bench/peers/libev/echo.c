/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/libev/echo.c - an echo server.
 *
 * libev tells readiness and the rest is the user's: one read buffer for all
 * connections; what the socket does not take is copied, and the watcher waits
 * for room instead of for bytes until it is gone.
 */

#include <errno.h>
#include <netinet/tcp.h>

#include "libev.h"

enum { BUFFER = 65536 }; // as libuv suggests

struct connection {
    ev_io io;   // first: the callback's watcher is the connection
    char *rest; // not yet written: then io waits for room; else NULL
    size_t rest_at, rest_size;
};

static char buffer[BUFFER];

static void
connection_close(struct ev_loop *loop, struct connection *c)
{
    ev_io_stop(loop, &c->io);
    close(c->io.fd);
    free(c->rest);
    free(c);
}

static void
connection_await(struct ev_loop *loop, struct connection *c, int events)
{
    ev_io_stop(loop, &c->io);
    ev_io_set(&c->io, c->io.fd, events);
    ev_io_start(loop, &c->io);
}

/* How much the socket took; -1 when the connection is no more. */
static ssize_t
connection_send(struct connection *c, const char *bytes, size_t size)
{
    ssize_t n = send(c->io.fd, bytes, size, MSG_NOSIGNAL);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    return n;
}

static void
connection_writable(struct ev_loop *loop, struct connection *c)
{
    ssize_t n =
        connection_send(c, c->rest + c->rest_at, c->rest_size - c->rest_at);

    if (n < 0) {
        connection_close(loop, c);
        return;
    }
    c->rest_at += (size_t)n;
    if (c->rest_at < c->rest_size)
        return;
    free(c->rest);
    c->rest = NULL;
    connection_await(loop, c, EV_READ);
}

static void
connection_keep(struct ev_loop *loop, struct connection *c, const char *bytes,
                size_t size)
{
    c->rest = malloc(size);
    bench_must(c->rest != NULL, "memory");
    memcpy(c->rest, bytes, size);
    c->rest_at = 0;
    c->rest_size = size;
    connection_await(loop, c, EV_WRITE);
}

static void
connection_readable(struct ev_loop *loop, struct connection *c)
{
    ssize_t n = recv(c->io.fd, buffer, sizeof buffer, 0), sent;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    sent = n > 0 ? connection_send(c, buffer, (size_t)n) : -1;
    if (sent < 0)
        connection_close(loop, c);
    else if (sent < n)
        connection_keep(loop, c, buffer + sent, (size_t)(n - sent));
}

static void
connection_ready(struct ev_loop *loop, ev_io *w, int events)
{
    struct connection *c = (struct connection *)w;

    if (events & EV_WRITE)
        connection_writable(loop, c);
    else
        connection_readable(loop, c);
}

static void
listener_ready(struct ev_loop *loop, ev_io *w, int events)
{
    int fd, on = 1;

    (void)events;
    while ((fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >=
           0) {
        struct connection *c = calloc(1, sizeof *c);

        bench_must(c != NULL, "memory");
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ev_io_init(&c->io, connection_ready, fd, EV_READ);
        ev_io_start(loop, &c->io);
    }
    bench_must(errno == EAGAIN || errno == EINTR || errno == ECONNABORTED,
               "accept");
}

void
libev_serve(void)
{
    struct ev_loop *loop = loop_new();
    ev_io listener;

    ev_io_init(&listener, listener_ready, serve_listen(SOCK_NONBLOCK), EV_READ);
    ev_io_start(loop, &listener);
    ev_run(loop, 0);
}
