/* SPDX-License-Identifier: MIT */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

/*
 * bench/server.h - a server as a process of its own, measured from outside, so
 * that no server needs code that measures.
 *
 *     if (server_start_echo(&s, r) < 0)
 *         return;                         // the case was skipped
 *     ...                                 // connect to s.port, warm it up
 *     server_count(&s, r);
 *     server_read(&s, &before);
 *     ...                                 // load
 *     server_values(&s, r, &before, ops);
 *     server_end(&s, 0);
 *
 * The server runs on the first processors this process may use, one for each
 * of its workers, and this process, the load, from then on on the next:
 * bench/sides.h.
 *
 * A server program is started as `PROGRAM --serve echo`. It listens on
 * 127.0.0.1, on any free port, prints the port as one line, serves until its
 * stdin ends, and ends with 0. One that cannot run here prints the reason in
 * place of the port and ends with 77 (bench/serve.h).
 */

#include <stdint.h>
#include <sys/types.h>

#include "bench.h"
#include "sides.h"

struct counters;

struct server {
    pid_t pid;
    int process; // its pidfd
    int input;   // its stdin: closed, it ends
    int output;  // its stdout
    int port;
    struct counters *counters; // what --count wants; or NULL
};

/* What it has used since it was started. */
struct server_used {
    uint64_t cpu_ns;                   // of all its threads, ended ones too
    uint64_t user_ticks, system_ticks; // the kernel's samples
    uint64_t switches;                 // of the threads there are
};

/* Starts a program and reads the first line it prints. 0; -1: there is no such
 * program. */
int server_start(struct server *s, char *const argv[], char *line, size_t size);

/* The same on other processors than a server's: all that there are. */
int server_start_on(struct server *s, enum side side, char *const argv[],
                    char *line, size_t size);

/* Starts the echo server of --server, or Pons's own, bench/echo_server. 0; -1:
 * it cannot run here, and the case was skipped. */
int server_start_echo(struct server *s, struct bench_run *r, enum side side);

/* Ends it: by closing its stdin, and by `signal` unless that is 0. It has a few
 * seconds, and is to end with 0. */
void server_end(struct server *s, int signal);

/* Counts what --count names, from now to server_values(). 0; -1: it cannot be
 * counted here, and the case was skipped. */
int server_count(struct server *s, struct bench_run *r);

void server_read(const struct server *s, struct server_used *used);

/* Resident bytes, exactly. */
double server_resident(const struct server *s);

/* The metrics: server cpu, server user, server system (ns per op; the latter
 * two only of a long load, or where they are counted), server calls (per op,
 * where they are), server switches (per op; the kernel tells those of
 * the threads that are there, and of threads that come and go it is too few, or
 * there is none), server rss. */
void server_values(struct server *s, struct bench_run *r,
                   const struct server_used *before, uint64_t ops);

/* A file beside this program; NULL when the path is too long. Static. */
const char *server_beside(const char *name);

#endif /* BENCH_SERVER_H */
