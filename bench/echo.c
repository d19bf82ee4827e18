/* SPDX-License-Identifier: MIT */
/*
 * bench/echo.c - a message to an echo server and back, over TCP on this
 * machine. The server is a process of its own (bench/server.h), Pons's or the
 * one that --server names; the load is bench/load.h.
 *
 * The load costs as much as the server, so with many connections both
 * processors are full and `wall` is the slower one's: what a server costs is
 * its `server cpu`. With one connection both sleep and wake for each message,
 * and `wall` is mostly the kernel's waking.
 */

#include <sys/prctl.h>

#include "load.h"
#include "server.h"

enum {
    MESSAGE = 64,
    LARGE_MESSAGE = 16 * 1024,
    OPEN_NS = 50000, // one message due each: a sixth of what a core does
    OPEN_OPS = 10000,
    CROWD_NS = 20000, // likewise; at 10,000 connections half of what it does
    CROWD_OPS = 100000,
};

struct shape {
    unsigned connections;
    size_t bytes;
    uint64_t ops;
    uint64_t interval_ns; // open loop; 0: closed
    enum side side;       // the server's
};

/* At least one of each connection. */
static uint64_t
shape_ops(const struct shape *s, const struct bench_run *r)
{
    uint64_t ops = bench_ops(r, s->ops);

    return ops > s->connections ? ops : s->connections;
}

static void
run_load(const struct shape *s, struct bench_run *r, struct load *l,
         struct server *server)
{
    struct histogram *h = histogram_new();
    uint64_t ops = shape_ops(s, r), began;
    struct server_used before;

    bench_must(h != NULL, "memory");
    load_closed(l, s->connections, NULL); // every connection is warm
    if (server_count(server, r) < 0)
        goto free_histogram;
    server_read(server, &before);
    (void)prctl(BENCH_MARK, 1);
    began = bench_now();
    if (s->interval_ns)
        load_open(l, ops, bench_interval_ns(r, s->interval_ns), h);
    else
        load_closed(l, ops, h);
    bench_value(r, "wall", "ns", (double)(bench_now() - began) / (double)ops);
    (void)prctl(BENCH_MARK, 0);
    server_values(server, r, &before, ops);
    bench_latencies(r, h);
    bench_value(r, "ops", "1", (double)ops);
free_histogram:
    histogram_free(h);
}

static void
run(struct bench_run *r, const struct shape *s)
{
    struct server server;
    struct load *l;

    if (load_allow(r, s->connections) < 0 ||
        server_start_echo(&server, r, s->side) < 0)
        return;
    l = load_new(server.port, s->connections, s->bytes);
    run_load(s, r, l, &server);
    load_free(l);
    server_end(&server, 0);
}

#define ECHO_CASE(name, ...)                        \
    static void name(struct bench_run *r)           \
    {                                               \
        run(r, &(const struct shape){__VA_ARGS__}); \
    }

ECHO_CASE(one, 1, MESSAGE, 20000, 0, SERVER_SIDE)
ECHO_CASE(fifty, 50, MESSAGE, 50000, 0, SERVER_SIDE)
ECHO_CASE(thousand, 1000, MESSAGE, 50000, 0, SERVER_SIDE)
ECHO_CASE(ten_thousand, 10000, MESSAGE, 100000, 0, SERVER_SIDE)
ECHO_CASE(large, 50, LARGE_MESSAGE, 20000, 0, SERVER_SIDE)
ECHO_CASE(open_loop, 50, MESSAGE, OPEN_OPS, OPEN_NS, SERVER_SIDE)
ECHO_CASE(open_crowd, 10000, MESSAGE, CROWD_OPS, CROWD_NS, SERVER_SIDE)
ECHO_CASE(one_shared, 1, MESSAGE, 20000, 0, ALL_SIDES)
ECHO_CASE(four_shared, 4, MESSAGE, 20000, 0, ALL_SIDES)

/* Each run has a server of its own, and warms it up by itself. */
enum { COLD = 1 };

static const struct bench_case cases[] = {
    {.name = "1 conn 64 B", .run = one, .cold = COLD},
    {.name = "50 conn 64 B", .run = fifty, .cold = COLD},
    {.name = "1000 conn 64 B", .run = thousand, .cold = COLD},
    {.name = "10000 conn 64 B", .run = ten_thousand, .cold = COLD, .heavy = 1},
    {.name = "50 conn 16 KiB", .run = large, .cold = COLD},
    {.name = "50 conn 64 B open", .run = open_loop, .cold = COLD},
    {.name = "10000 conn 64 B open",
     .run = open_crowd,
     .cold = COLD,
     .heavy = 1},
    {.name = "1 conn 64 B shared", .run = one_shared, .cold = COLD},
    {.name = "4 conn 64 B shared", .run = four_shared, .cold = COLD},
    {0},
};

static const struct bench_workload echo_workload = {
    .name = "echo",
    .subject = "pons",
    .measures = "a message to an echo server and back over TCP; the server's "
                "own time is `server cpu`",
    .how = "the server on a processor for each of its workers, as far as there "
           "are, an epoll client that checks every byte on another; closed "
           "loop, or open at 20000 messages a second (10,000 connections: "
           "50000) with latencies from when each was due; shared: the server "
           "may use the client's processor, too",
    .silent = "networks, and what a server does with a message; at 50 "
              "connections and more wall is as much the client's; open, "
              "latencies at other rates",
    .axes = BENCH_REACTOR | BENCH_WORKERS,
    .cases = cases,
};

int
main(int argc, char **argv)
{
    return bench_main(
        (const struct bench_workload *const[]){&echo_workload, NULL}, argc,
        argv);
}
