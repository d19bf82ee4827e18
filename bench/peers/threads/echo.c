/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/threads/echo.c - an echo server: a thread per connection, which
 * blocks. Stacks are smaller than the system's 8 MiB, as anybody makes them who
 * has thousands.
 */

#include <errno.h>
#include <netinet/tcp.h>

#include "threads.h"

enum {
    BUFFER = 65536, // as libuv suggests
    STACK = BUFFER * 2,
};

static int
send_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);

        if (n < 0)
            return -1;
        bytes += n;
        size -= (size_t)n;
    }
    return 0;
}

static void *
connection_run(void *arg)
{
    int fd = (int)(intptr_t)arg, on = 1;
    char buffer[BUFFER];
    ssize_t n;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    while ((n = recv(fd, buffer, sizeof buffer, 0)) > 0)
        if (send_all(fd, buffer, (size_t)n) < 0)
            break;
    close(fd);
    return NULL;
}

void
threads_serve(void)
{
    int listener = serve_listen(0);
    pthread_attr_t small;

    pthread_attr_init(&small);
    bench_must(
        pthread_attr_setstacksize(&small, STACK) == 0 &&
            pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED) == 0,
        "stacks");
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        pthread_t thread;

        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        bench_must(fd >= 0 && pthread_create(&thread, &small, connection_run,
                                             (void *)(intptr_t)fd) == 0,
                   "a connection");
    }
}
