/* SPDX-License-Identifier: MIT */
/*
 * examples/echo.c - stackless tasks: an echo server whose connections are
 * structs.
 *
 * Each connection is one struct with its buffer and its operations in it. A
 * hundred clients talk to it, and then all of it ends.
 */

#include <pons/pons.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLIENTS = 100 };

struct echo {
    struct pons_future base;
    struct pons_stream *conn;
    union {
        struct pons_recv recv;
        struct pons_send_all send;
    } io;
    char buf[512];
};

static enum pons_poll
echo_poll(struct pons_future *f, struct pons_waker *w)
{
    struct echo *e = pons_container_of(f, struct echo, base);

    PONS_BEGIN(f);
    for (;;) {
        pons_recv_init(&e->io.recv, e->conn, e->buf, sizeof e->buf);
        PONS_AWAIT(f, w, &e->io.recv);
        if (e->io.recv.base.result <= 0)
            break;
        pons_send_all_init(&e->io.send, e->conn, e->buf,
                           (size_t)e->io.recv.base.result);
        PONS_AWAIT(f, w, &e->io.send);
        if (e->io.send.base.result < 0)
            break;
    }
    PONS_END(f);
}

/* The task has ended, one way or the other. */
static void
echo_drop(struct pons_future *f)
{
    struct echo *e = pons_container_of(f, struct echo, base);

    pons_stream_close(e->conn);
    free(e);
}

static const struct pons_future_ops echo_ops = {
    .size = sizeof echo_ops,
    .name = "echo",
    .poll = echo_poll,
    .drop = echo_drop,
};

static int64_t
serve(void *listener)
{
    struct pons_stream *conn;
    int err;

    while ((err = pons_accept(listener, &conn)) == 0) {
        struct echo *e = calloc(1, sizeof *e);

        if (e == NULL) {
            pons_stream_close(conn);
            continue;
        }
        e->conn = conn;
        pons_future_init(&e->base, &echo_ops);
        err =
            pons_spawn_future(NULL, &e->base, NULL); // consumed, come what may
        if (err < 0)
            break;
    }
    return err;
}

static int64_t
talk(void *port)
{
    struct pons_stream *conn;
    char line[64];
    int64_t n = pons_tcp_connect(&conn, "127.0.0.1", port);

    if (n < 0)
        return n;
    n = pons_send_all(conn, "hello, bridge\n", 14);
    if (n == 14)
        n = pons_read_line(conn, line, sizeof line);
    pons_stream_close(conn);
    return n == 13 && strcmp(line, "hello, bridge") == 0 ? 0 : -1;
}

/* The scope is closed whatever happened: its tasks have pointers to `port`. */
static int
clients_run(char *port)
{
    struct pons_scope clients;
    int err = 0, first;

    pons_scope_open(&clients, pons_after_ms(10000));
    for (int i = 0; i < CLIENTS && err == 0; i++)
        err = pons_scope_spawn(&clients, talk, port);
    first = pons_scope_close(&clients);
    return err < 0 ? err : first;
}

static int64_t
run(void *arg)
{
    struct pons_stream *listener;
    struct pons_task *server;
    char port[8];
    int64_t answer;
    int err = pons_tcp_listen(&listener, "127.0.0.1", "0", 0);

    (void)arg;
    if (err < 0)
        return err;
    (void)snprintf(port, sizeof port, "%d", pons_tcp_port(listener));
    err = pons_spawn(NULL, serve, listener, &server);
    if (err < 0)
        goto close;
    err = clients_run(port);
    pons_cancel(server);
    (void)!pons_join(server, &answer); // -ECANCELED, as asked
close:
    pons_stream_close(listener);
    return err;
}

int
main(void)
{
    struct pons_runtime *rt;
    int64_t answer = 0;
    int err = pons_runtime_new(&rt, NULL);

    if (err == 0)
        err = pons_block_on(rt, run, NULL, &answer);
    if (err < 0 || answer < 0) {
        fprintf(stderr, "echo: %s\n", pons_last_error());
        return 1;
    }
    printf("%d clients were answered\n", CLIENTS);
    pons_runtime_unref(rt);
    return 0;
}
