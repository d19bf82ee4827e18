/* SPDX-License-Identifier: MIT */
/*
 * examples/score.c - a synchronous program calls asynchronous code.
 *
 * Two servers that take their time are asked at once, with one deadline for
 * both. The servers are fibers of the same runtime, so that the example needs
 * nothing.
 */

#include <pons/pons.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SERVERS = 2 };

struct server {
    struct pons_stream *listener;
    const char *score;
    char port[8];
};

/* Answers one caller, after 20 ms of thought. */
static int64_t
serve_score(void *arg)
{
    struct server *s = arg;
    struct pons_stream *conn;
    int64_t n = pons_accept(s->listener, &conn);

    if (n < 0)
        return n;
    n = pons_sleep(20 * PONS_MS);
    if (n == 0)
        n = pons_send_all(conn, s->score, strlen(s->score));
    pons_stream_close(conn);
    return n;
}

struct query {
    struct server *server;
    int64_t score;
};

/* Reads like ordinary blocking code; runs in a fiber, or on a thread. */
static int64_t
fetch_score(void *arg)
{
    struct query *q = arg;
    struct pons_stream *conn;
    char line[32];
    int64_t n = pons_tcp_connect(&conn, "127.0.0.1", q->server->port);

    if (n < 0)
        return n;
    n = pons_read_line(conn, line, sizeof line);
    pons_stream_close(conn);
    if (n >= 0)
        q->score = strtoll(line, NULL, 10);
    return n;
}

static int64_t
ask_both(void *arg)
{
    struct query *queries = arg;
    int err = 0;

    PONS_SCOPE_GUARD(scope, pons_after_ms(5000));
    for (int i = 0; i < SERVERS && err == 0; i++) {
        err = pons_scope_spawn(&scope, serve_score, queries[i].server);
        if (err == 0)
            err = pons_scope_spawn(&scope, fetch_score, &queries[i]);
    }
    return err < 0 ? err : pons_scope_close(&scope);
}

static int
listen_for(struct server *s)
{
    int err = pons_tcp_listen(&s->listener, "127.0.0.1", "0", 0);

    if (err == 0)
        (void)snprintf(s->port, sizeof s->port, "%d",
                       pons_tcp_port(s->listener));
    return err;
}

int
main(void)
{
    struct server servers[SERVERS] = {{.score = "40\n"}, {.score = "2\n"}};
    struct query queries[SERVERS] = {{&servers[0], 0}, {&servers[1], 0}};
    struct pons_runtime *rt;
    int64_t answer = 0;
    int err = pons_runtime_new(&rt, NULL); // what PONS_* and the defaults say

    for (int i = 0; i < SERVERS && err == 0; i++)
        err = listen_for(&servers[i]);
    if (err == 0)
        err = pons_block_on(rt, ask_both, queries, &answer);
    if (err < 0 || answer < 0) {
        fprintf(stderr, "score: %s\n", pons_last_error());
        return 1;
    }
    printf("%lld\n", (long long)(queries[0].score + queries[1].score));
    for (int i = 0; i < SERVERS; i++)
        pons_stream_close(servers[i].listener);
    pons_runtime_unref(rt);
    return 0;
}
