/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/glib/echo.c - an echo server.
 *
 * On GIO's sockets and their sources: what a user of GLib takes where speed
 * matters, a layer below GIO's streams. One read buffer for all connections;
 * what the socket does not take is copied, and a source for room takes the
 * place of the one for bytes until it is gone.
 */

#include <netinet/tcp.h>

#include "glib_peer.h"

enum { BUFFER = 65536 }; // as libuv suggests

struct connection {
    GSocket *socket;
    char *rest; // not yet written: the source waits for room; else NULL
    gsize rest_at, rest_size;
};

static char buffer[BUFFER];

static void
connection_free(struct connection *c)
{
    g_socket_close(c->socket, NULL);
    g_object_unref(c->socket);
    g_free(c->rest);
    g_free(c);
}

static void
connection_await(struct connection *c, GIOCondition what,
                 GSocketSourceFunc ready)
{
    GSource *s = g_socket_create_source(c->socket, what, NULL);

    g_source_set_callback(s, G_SOURCE_FUNC(ready), c, NULL);
    g_source_attach(s, NULL);
    g_source_unref(s);
}

/* What a call of the socket came to: 0 where it would block, -1 when the
 * connection is no more. */
static gssize
result(gssize n, GError *error)
{
    if (n >= 0)
        return n;
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        n = 0;
    g_error_free(error);
    return n;
}

static gssize
connection_send(struct connection *c, const char *bytes, gsize size)
{
    GError *error = NULL;
    gssize n = g_socket_send(c->socket, bytes, size, NULL, &error);

    return result(n, error);
}

/* The end of the stream, too, is -1. */
static gssize
connection_receive(struct connection *c)
{
    GError *error = NULL;
    gssize n = g_socket_receive(c->socket, buffer, sizeof buffer, NULL, &error);

    return n == 0 ? -1 : result(n, error);
}

/* What the connection does next. */
enum next { NEXT_SAME, NEXT_OTHER, NEXT_END };

static enum next
connection_write(struct connection *c)
{
    gssize n =
        connection_send(c, c->rest + c->rest_at, c->rest_size - c->rest_at);

    if (n < 0)
        return NEXT_END;
    c->rest_at += (gsize)n;
    if (c->rest_at < c->rest_size)
        return NEXT_SAME;
    g_free(c->rest);
    c->rest = NULL;
    return NEXT_OTHER;
}

static enum next
connection_read(struct connection *c)
{
    gssize n = connection_receive(c), sent;

    sent = n > 0 ? connection_send(c, buffer, (gsize)n) : n;
    if (sent < 0)
        return NEXT_END;
    if (sent == n)
        return NEXT_SAME;
    c->rest_at = 0;
    c->rest_size = (gsize)(n - sent);
    c->rest = g_memdup2(buffer + sent, c->rest_size);
    return NEXT_OTHER;
}

static gboolean
connection_ready(GSocket *socket, GIOCondition what, void *arg)
{
    struct connection *c = arg;

    (void)socket;
    (void)what;
    switch (c->rest ? connection_write(c) : connection_read(c)) {
    case NEXT_SAME:
        return G_SOURCE_CONTINUE;
    case NEXT_OTHER:
        connection_await(c, c->rest ? G_IO_OUT : G_IO_IN, connection_ready);
        break;
    case NEXT_END:
        connection_free(c);
        break;
    }
    return G_SOURCE_REMOVE;
}

static gboolean
listener_ready(GSocket *listener, GIOCondition what, void *arg)
{
    GSocket *socket;

    (void)what;
    (void)arg;
    while ((socket = g_socket_accept(listener, NULL, NULL)) != NULL) {
        struct connection *c = g_new0(struct connection, 1);

        c->socket = socket;
        g_socket_set_blocking(socket, FALSE);
        g_socket_set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1, NULL);
        connection_await(c, G_IO_IN, connection_ready);
    }
    return G_SOURCE_CONTINUE;
}

void
glib_serve(void)
{
    GSocket *listener = g_socket_new_from_fd(serve_listen(SOCK_NONBLOCK), NULL);
    GMainLoop *loop = g_main_loop_new(NULL, FALSE);
    GSource *s;

    bench_must(listener != NULL, "listen");
    g_socket_set_blocking(listener, FALSE);
    s = g_socket_create_source(listener, G_IO_IN, NULL);
    g_source_set_callback(s, G_SOURCE_FUNC(listener_ready), NULL, NULL);
    g_source_attach(s, NULL);
    g_main_loop_run(loop);
}
