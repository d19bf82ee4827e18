/* SPDX-License-Identifier: MIT */
/*
 * bench/echo_multishot.c - an echo server over Pons's multishot recv: a
 * connection is one struct, and a message is sent from the buffer in which it
 * came. bench/echo, bench/accept_storm and bench/idle_connections measure it
 * like a foreign one.
 */

#include <errno.h>

#include "echo_server.h"

struct echo {
    struct pons_future base;
    struct pons_stream *conn;
    struct pons_recv_multi received;
    struct pons_lent message;
    union {
        struct pons_recv_next next;
        struct pons_send_all send;
        struct pons_multi_end end;
    } io;
};

static enum pons_poll
echo_poll(struct pons_future *f, struct pons_waker *w)
{
    struct echo *e = pons_container_of(f, struct echo, base);

    PONS_BEGIN(f);
    for (;;) {
        pons_recv_next_init(&e->io.next, &e->received, &e->message);
        PONS_AWAIT(f, w, &e->io.next);
        if (e->io.next.base.result <= 0)
            break;
        pons_send_all_init(&e->io.send, e->conn, e->message.data,
                           e->message.size);
        PONS_AWAIT(f, w, &e->io.send);
        if (e->io.send.base.result < 0)
            break;
        pons_lent_return(&e->message);
    }
    pons_lent_return(&e->message);
    pons_multi_end_init(&e->io.end, &e->received.multi);
    PONS_AWAIT(f, w, &e->io.end);
    PONS_END(f);
}

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

static int
echo_start(struct pons_stream *conn)
{
    struct echo *e = calloc(1, sizeof *e);

    if (!e) {
        pons_stream_close(conn);
        return -ENOMEM;
    }
    pons_future_init(&e->base, &echo_ops);
    e->conn = conn;
    pons_recv_multi_init(&e->received, conn);
    return pons_spawn_future(NULL, &e->base, NULL);
}

int
main(int argc, char **argv)
{
    static const struct serve_description about = {
        .subject = "pons multishot",
        .how = "a struct per connection, one request for all its messages, "
               "each sent from the buffer it came in",
        .silent = "what the application does with a message",
        .axes = "\"reactor\",\"workers\"",
    };

    serve_words(argc, argv, &about);
    return echo_server_main(echo_start);
}
