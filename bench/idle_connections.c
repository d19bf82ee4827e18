/* SPDX-License-Identifier: MIT */
/*
 * bench/idle_connections.c - what a server keeps in memory for a client that
 * has said something once and is now silent. The server is a process of its own
 * (bench/server.h), Pons's or the one that --server names.
 */

#include "load.h"
#include "server.h"

enum {
    CONNECTIONS = 10000, // fewer would be no quicker, and say less
    FIRST = 50,
    FIRST_MESSAGES = 5000, // then what a server needs once is there
    MESSAGE = 1,
};

static void
run(struct bench_run *r)
{
    struct load *first, *others;
    struct server server;
    double before;

    if (load_allow(r, FIRST + CONNECTIONS) < 0 ||
        server_start_echo(&server, r, SERVER_SIDE) < 0)
        return;
    first = load_new(server.port, FIRST, MESSAGE);
    load_closed(first, FIRST_MESSAGES, NULL);
    before = server_resident(&server);
    others = load_new(server.port, CONNECTIONS, MESSAGE);
    load_closed(others, CONNECTIONS, NULL);
    bench_value(r, "memory", "B",
                (server_resident(&server) - before) / CONNECTIONS);
    bench_value(r, "server rss", "B", server_resident(&server));
    bench_value(r, "ops", "1", CONNECTIONS);
    load_free(others);
    load_free(first);
    server_end(&server, 0);
}

static const struct bench_case cases[] = {
    {.name = "10000", .run = run, .cold = 1, .heavy = 1},
    {0},
};

static const struct bench_workload idle_connections = {
    .name = "idle_connections",
    .subject = "pons",
    .measures = "resident bytes of a server for each connection that is silent",
    .how = "10000 clients connect and exchange one byte; the growth of the "
           "server's resident memory",
    .silent = "what the kernel keeps for a socket, and buffers that larger "
              "messages would have filled",
    .axes = BENCH_REACTOR | BENCH_WORKERS,
    .cases = cases,
};

int
main(int argc, char **argv)
{
    return bench_main(
        (const struct bench_workload *const[]){&idle_connections, NULL}, argc,
        argv);
}
