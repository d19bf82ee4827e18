/* SPDX-License-Identifier: MIT */
/*
 * bench/accept_storm.c - clients that come, say one byte, hear it back, and
 * leave. The server is a process of its own (bench/server.h), Pons's or the one
 * that --server names.
 *
 * Over loopback a connection is made on the client's processor, and all that
 * the server pays is accept, recv, send, recv and close; the client pays more
 * and sets the pace. So `server cpu` is the figure, not `wall`.
 */

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"
#include "server.h"

enum {
    VISITS = 10000,
    AT_ONCE = 50, // less than any server's backlog
    PATIENCE_MS = 10000,
};

struct visit {
    int fd;
    char byte;
    uint64_t since;
};

struct storm {
    int epoll, port;
    uint64_t to_come, to_leave; // visits
    struct histogram *latencies;
    struct visit visits[AT_ONCE];
};

static void
visit_begin(struct storm *s, struct visit *v)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = v};

    v->since = bench_now();
    v->byte = (char)s->to_come--;
    v->fd = load_connect(s->port);
    bench_must(send(v->fd, &v->byte, 1, MSG_NOSIGNAL) == 1 &&
                   epoll_ctl(s->epoll, EPOLL_CTL_ADD, v->fd, &e) == 0,
               "a visit");
}

static void
visit_end(struct storm *s, struct visit *v)
{
    char byte;

    bench_must(recv(v->fd, &byte, 1, 0) == 1 && byte == v->byte,
               "comparing what the server sent");
    histogram_record(s->latencies, bench_now() - v->since);
    close(v->fd);
    s->to_leave--;
}

static void
storm_rage(struct storm *s, uint64_t visits)
{
    struct epoll_event events[AT_ONCE];

    histogram_clear(s->latencies);
    s->to_come = s->to_leave = visits;
    for (int i = 0; i < AT_ONCE && s->to_come; i++)
        visit_begin(s, &s->visits[i]);
    while (s->to_leave) {
        int n = epoll_wait(s->epoll, events, AT_ONCE, PATIENCE_MS);

        bench_must(n > 0, "waiting for the server's answers");
        for (int i = 0; i < n; i++) {
            visit_end(s, events[i].data.ptr);
            if (s->to_come)
                visit_begin(s, events[i].data.ptr);
        }
    }
}

static void
run(struct bench_run *r)
{
    struct storm s = {.latencies = histogram_new(),
                      .epoll = epoll_create1(EPOLL_CLOEXEC)};
    uint64_t visits = bench_ops(r, VISITS), began;
    struct server_used before;
    struct server server;

    bench_must(s.latencies && s.epoll >= 0, "epoll");
    if (server_start_echo(&server, r, SERVER_SIDE) == 0) {
        s.port = server.port;
        storm_rage(&s, AT_ONCE); // the server has met as many at once
        server_read(&server, &before);
        (void)prctl(BENCH_MARK, 1);
        began = bench_now();
        storm_rage(&s, visits);
        bench_value(r, "wall", "ns",
                    (double)(bench_now() - began) / (double)visits);
        (void)prctl(BENCH_MARK, 0);
        server_values(&server, r, &before, visits);
        bench_latencies(r, s.latencies);
        bench_value(r, "ops", "1", (double)visits);
        server_end(&server, 0);
    }
    close(s.epoll);
    histogram_free(s.latencies);
}

static const struct bench_case cases[] = {
    {.name = "connect, one byte, close", .run = run, .cold = 1},
    {0},
};

static const struct bench_workload accept_storm = {
    .name = "accept_storm",
    .subject = "pons",
    .measures = "a connection of one byte, from connect to close; the server's "
                "own time is `server cpu`",
    .how = "the server on a processor for each of its workers, as far as there "
           "are, 50 clients at once on another",
    .silent = "the handshake, which over loopback the client pays; wall is the "
              "client's pace",
    .axes = BENCH_REACTOR | BENCH_WORKERS,
    .cases = cases,
};

int
main(int argc, char **argv)
{
    return bench_main(
        (const struct bench_workload *const[]){&accept_storm, NULL}, argc,
        argv);
}
