/* SPDX-License-Identifier: MIT */
#ifndef BENCH_SERVE_H
#define BENCH_SERVE_H

/*
 * bench/serve.h - what a server program in C says and listens on; the driver's
 * side of it is bench/server.h.
 *
 *     PROGRAM --serve echo    prints a port; serves until its stdin ends
 *     PROGRAM --describe      lines of JSON, with "serves":["echo"]
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    SERVE_CANNOT_RUN = 77,
    SERVE_BACKLOG = 4096, // more than a storm has under way
};

/* Ends the program where it cannot run here, saying why. */
static inline void
serve_skip(const char *reason)
{
    printf("%s\n", reason);
    exit(SERVE_CANNOT_RUN);
}

static inline void
serve_must(int ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    exit(1);
}

static inline void
serve_say_port(int port)
{
    printf("%d\n", port);
    fflush(stdout);
}

/* A listener on any free port of 127.0.0.1. `flags`: SOCK_NONBLOCK or 0. */
static inline int
serve_listen(int flags)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t size = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    serve_must(fd >= 0 && bind(fd, (struct sockaddr *)&a, size) == 0 &&
                   listen(fd, SERVE_BACKLOG) == 0 &&
                   getsockname(fd, (struct sockaddr *)&a, &size) == 0,
               "listen");
    serve_say_port(ntohs(a.sin_port));
    return fd;
}

/* Beside what the driver of a workload says of it. */
struct serve_description {
    const char *subject, *how, *silent;
    const char *axes; // members of a JSON array
};

/* The server stands in the table of each workload that drives one. */
static inline void
serve_describe(const struct serve_description *d)
{
    static const char *const workloads[] = {"echo", "accept_storm",
                                            "idle_connections"};

    for (size_t i = 0; d && i < sizeof workloads / sizeof workloads[0]; i++)
        printf("{\"workload\":\"%s\",\"subject\":\"%s\","
               "\"measures\":\"an echo server\",\"how\":\"%s\","
               "\"silent\":\"%s\",\"axes\":[%s],\"serves\":[\"echo\"]}\n",
               workloads[i], d->subject, d->how, d->silent, d->axes);
}

/* Reads the program's words, and returns if it is to serve. */
static inline void
serve_words(int argc, char **argv, const struct serve_description *d)
{
    if (argc == 3 && strcmp(argv[1], "--serve") == 0 &&
        strcmp(argv[2], "echo") == 0)
        return;
    if (argc == 2 && strcmp(argv[1], "--describe") == 0) {
        serve_describe(d);
        exit(0);
    }
    fprintf(stderr, "usage: %s --serve echo\n       %s --describe\n", argv[0],
            argv[0]);
    exit(2);
}

#endif /* BENCH_SERVE_H */
