/* SPDX-License-Identifier: MIT */
/*
 * bench/echo_server.c - Pons's own echo server, which bench/echo,
 * bench/accept_storm and bench/idle_connections put under load.
 *
 * Stackless: a connection is one struct. Its buffer is small until a message
 * fills it.
 */

#include <errno.h>

#include "echo_server.h"

enum {
    SMALL = 128,      // most connections say little
    LARGE = 32 * 1024 // more than a message: a short count says that is all
};

struct echo {
    struct pons_future base;
    struct pons_stream *conn;
    union {
        struct pons_recv recv;
        struct pons_send_all send;
    } io;
    char *buffer; // `small`, or LARGE bytes of its own
    size_t size;
    char small[SMALL];
};

/* Better a small buffer than none: without memory it stays. */
static void
echo_grow(struct echo *e)
{
    char *large = malloc(LARGE);

    if (!large)
        return;
    e->buffer = large;
    e->size = LARGE;
}

static enum pons_poll
echo_poll(struct pons_future *f, struct pons_waker *w)
{
    struct echo *e = pons_container_of(f, struct echo, base);

    PONS_BEGIN(f);
    for (;;) {
        pons_recv_init(&e->io.recv, e->conn, e->buffer, e->size);
        PONS_AWAIT(f, w, &e->io.recv);
        if (e->io.recv.base.result <= 0)
            break;
        pons_send_all_init(&e->io.send, e->conn, e->buffer,
                           (size_t)e->io.recv.base.result);
        PONS_AWAIT(f, w, &e->io.send);
        if (e->io.send.base.result < 0)
            break;
        if (e->io.send.base.result == SMALL && e->buffer == e->small)
            echo_grow(e);
    }
    PONS_END(f);
}

static void
echo_drop(struct pons_future *f)
{
    struct echo *e = pons_container_of(f, struct echo, base);

    pons_stream_close(e->conn);
    if (e->buffer != e->small)
        free(e->buffer);
    free(e);
}

static const struct pons_future_ops echo_ops = {
    .size = sizeof echo_ops,
    .name = "echo",
    .poll = echo_poll,
    .drop = echo_drop,
};

static int
echo_start(struct pons_stream *conn)
{
    struct echo *e = malloc(sizeof *e);

    if (!e) {
        pons_stream_close(conn);
        return -ENOMEM;
    }
    pons_future_init(&e->base, &echo_ops);
    e->conn = conn;
    e->buffer = e->small;
    e->size = sizeof e->small;
    return pons_spawn_future(NULL, &e->base, NULL);
}

int
main(int argc, char **argv)
{
    serve_words(argc, argv, NULL); // the drivers describe it
    return echo_server_main(echo_start);
}
