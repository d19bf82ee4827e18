/* SPDX-License-Identifier: MIT */
#ifndef BENCH_ECHO_SERVER_H
#define BENCH_ECHO_SERVER_H

/*
 * bench/echo_server.h - what Pons's two echo servers share: a fiber accepts,
 * and each connection is started as the server's kind of task. Reactor and
 * workers are what PONS_* say.
 */

#include <netinet/tcp.h>
#include <unistd.h>

#include "runtime.h"
#include "serve.h"

/* Starts the task of a connection, which it consumes. 0, -errno. */
typedef int echo_start_f(struct pons_stream *conn);

struct echo_server {
    struct pons_stream *listener;
    echo_start_f *start;
};

static int64_t
echo_server_accept(void *arg)
{
    struct echo_server *s = arg;
    struct pons_stream *conn;
    int err, on = 1;

    while ((err = pons_accept(s->listener, &conn)) == 0) {
        (void)setsockopt(pons_stream_fd(conn), IPPROTO_TCP, TCP_NODELAY, &on,
                         sizeof on);
        err = s->start(conn);
        if (err < 0)
            break;
    }
    return err;
}

/* Until stdin ends. */
static int64_t
echo_server_serve(void *arg)
{
    struct echo_server *s = arg;
    struct pons_stream *input;
    struct pons_task *accepting;
    char bytes[64];

    bench_must(pons_stream_adopt(&input, STDIN_FILENO) == 0, "stdin");
    bench_must(pons_spawn(NULL, echo_server_accept, s, &accepting) == 0,
               "spawn");
    while (pons_recv(input, bytes, sizeof bytes) > 0)
        ;
    pons_cancel(accepting);
    bench_must(pons_join(accepting, NULL) == 0, "join");
    pons_stream_close(s->listener);
    pons_stream_close(input);
    return 0;
}

static int
echo_server_main(echo_start_f *start)
{
    struct pons_runtime *rt = bench_runtime();
    struct echo_server s = {.start = start};

    bench_must(pons_stream_adopt(&s.listener, serve_listen(SOCK_NONBLOCK)) == 0,
               "the listener");
    bench_must(pons_block_on(rt, echo_server_serve, &s, NULL) == 0,
               "the server");
    pons_runtime_unref(rt);
    return 0;
}

#endif /* BENCH_ECHO_SERVER_H */
