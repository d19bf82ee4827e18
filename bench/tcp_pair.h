/* SPDX-License-Identifier: MIT */
#ifndef TCP_PAIR_H
#define TCP_PAIR_H

/*
 * bench/tcp_pair.h - two ends of a TCP connection over loopback.
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

static inline void
tcp_pair(int fds[2])
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t size = sizeof a;
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fds[1] = socket(AF_INET, SOCK_STREAM, 0);
    bench_must(bind(listener, (struct sockaddr *)&a, size) == 0 &&
                   listen(listener, 1) == 0 &&
                   getsockname(listener, (struct sockaddr *)&a, &size) == 0 &&
                   connect(fds[1], (struct sockaddr *)&a, size) == 0,
               "connect");
    fds[0] = accept(listener, NULL, NULL);
    bench_must(fds[0] >= 0, "accept");
    (void)setsockopt(fds[1], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    close(listener);
}

/* Puts `n` bytes into the connection, to be received one by one. */
static inline void
tcp_pair_fill(int fd, int n)
{
    static char bytes[65536];

    bench_must(n <= (int)sizeof bytes && send(fd, bytes, (size_t)n, 0) == n,
               "send");
}

#endif /* TCP_PAIR_H */
