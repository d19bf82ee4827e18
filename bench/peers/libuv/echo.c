/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/libuv/echo.c - an echo server.
 *
 * As a careful user of libuv writes it: one read buffer for all connections,
 * since a loop reads one at a time; uv_try_write() first, and only what the
 * socket does not take goes into a request of its own.
 */

#include "libuv.h"

enum { BUFFER = 65536 }; // what libuv suggests

struct rest { // what the socket did not take; it is its write's
    uv_write_t write;
    char bytes[];
};

static char buffer[BUFFER];

static void
echo_closed(uv_handle_t *h)
{
    free(h);
}

static void
echo_lend(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    (void)h;
    (void)suggested;
    *buf = uv_buf_init(buffer, sizeof buffer);
}

static void
echo_rest_written(uv_write_t *w, int status)
{
    (void)status; // the next read tells, too
    free(w->data);
}

static void
echo_write(uv_stream_t *s, char *bytes, size_t size)
{
    uv_buf_t buf = uv_buf_init(bytes, (unsigned)size);
    int n = uv_try_write(s, &buf, 1);
    struct rest *rest;

    if (n == (int)size)
        return;
    if (n < 0)
        n = 0; // would block, or the write below says so
    rest = malloc(sizeof *rest + size - (size_t)n);
    bench_must(rest != NULL, "memory");
    memcpy(rest->bytes, bytes + n, size - (size_t)n);
    rest->write.data = rest;
    buf = uv_buf_init(rest->bytes, (unsigned)(size - (size_t)n));
    if (uv_write(&rest->write, s, &buf, 1, echo_rest_written) < 0)
        free(rest);
}

static void
echo_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    if (n > 0)
        echo_write(s, buf->base, (size_t)n);
    else if (n < 0)
        uv_close((uv_handle_t *)s, echo_closed);
}

static void
echo_accept(uv_stream_t *listener, int status)
{
    uv_tcp_t *c = malloc(sizeof *c);

    bench_must(status == 0 && c != NULL, "a connection");
    uv_tcp_init(listener->loop, c);
    if (uv_accept(listener, (uv_stream_t *)c) == 0 &&
        uv_tcp_nodelay(c, 1) == 0 &&
        uv_read_start((uv_stream_t *)c, echo_lend, echo_read) == 0)
        return;
    uv_close((uv_handle_t *)c, echo_closed);
}

void
libuv_serve(void)
{
    uv_loop_t *loop = uv_default_loop();
    struct sockaddr_in a;
    int size = sizeof a;
    uv_tcp_t listener;

    uv_ip4_addr("127.0.0.1", 0, &a);
    uv_tcp_init(loop, &listener);
    bench_must(
        uv_tcp_bind(&listener, (struct sockaddr *)&a, 0) == 0 &&
            uv_listen((uv_stream_t *)&listener, SERVE_BACKLOG, echo_accept) ==
                0 &&
            uv_tcp_getsockname(&listener, (struct sockaddr *)&a, &size) == 0,
        "listen");
    serve_say_port(ntohs(a.sin_port));
    uv_run(loop, UV_RUN_DEFAULT);
}
