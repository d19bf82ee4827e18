/* SPDX-License-Identifier: MIT */
/*
 * bench/echo_fibers.c - an echo server of fibers on Pons: a connection is an
 * ordinary function with its buffer on its stack. bench/echo,
 * bench/accept_storm and bench/idle_connections measure it like a foreign one.
 */

#include "echo_server.h"

enum { BUFFER = 32 * 1024 }; // of a stack that is touched as it is used

static int64_t
echo_fiber(void *arg)
{
    struct pons_stream *conn = arg;
    char buffer[BUFFER];
    int64_t n;

    while ((n = pons_recv(conn, buffer, sizeof buffer)) > 0)
        if (pons_send_all(conn, buffer, (size_t)n) < 0)
            break;
    pons_stream_close(conn);
    return 0;
}

static int
echo_start(struct pons_stream *conn)
{
    int err = pons_spawn(NULL, echo_fiber, conn, NULL);

    if (err < 0)
        pons_stream_close(conn);
    return err;
}

int
main(int argc, char **argv)
{
    static const struct serve_description about = {
        .subject = "pons fibers",
        .how = "a fiber per connection, its buffer on its stack",
        .silent = "what the application does with a message",
        .axes = "\"reactor\",\"workers\"",
    };

    serve_words(argc, argv, &about);
    return echo_server_main(echo_start);
}
