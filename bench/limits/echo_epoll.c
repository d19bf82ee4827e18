/* SPDX-License-Identifier: MIT */
/*
 * bench/limits/echo_epoll.c - the least that an echo server over epoll is: one
 * level-triggered loop, one buffer, one recv and one send a message.
 *
 * What a socket does not take at once is kept for it, and it is not read from
 * until that has gone.
 */

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "serve.h"

enum { EVENTS = 256, BUFFER = 64 * 1024 };

/* While `left` it waits for EPOLLOUT, else for EPOLLIN. */
struct conn {
    int fd;
    char *rest; // owned: what did not go
    size_t left;
};

static struct conn listener, input; // known by their addresses
static char buffer[BUFFER];
static int set;

static int
watch(int op, struct conn *c, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = c};

    return epoll_ctl(set, op, c->fd, &e);
}

static void
conn_close(struct conn *c)
{
    close(c->fd);
    free(c->rest);
    free(c);
}

static void
accept_one(void)
{
    int fd = accept4(listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct conn *c;
    int on = 1;

    if (fd < 0) {
        serve_must(errno == EAGAIN || errno == ECONNABORTED, "accept");
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c = malloc(sizeof *c);
    serve_must(c != NULL, "malloc");
    *c = (struct conn){.fd = fd};
    serve_must(watch(EPOLL_CTL_ADD, c, EPOLLIN) == 0, "epoll_ctl");
}

/* Keeps what did not go. */
static void
conn_keep(struct conn *c, const char *bytes, size_t size)
{
    c->rest = malloc(size);
    serve_must(c->rest != NULL, "malloc");
    memcpy(c->rest, bytes, size);
    c->left = size;
    serve_must(watch(EPOLL_CTL_MOD, c, EPOLLOUT) == 0, "epoll_ctl");
}

static void
conn_echo(struct conn *c)
{
    ssize_t n = recv(c->fd, buffer, sizeof buffer, 0), sent;

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        conn_close(c);
        return;
    }
    sent = send(c->fd, buffer, (size_t)n, MSG_NOSIGNAL);
    if (sent == n)
        return;
    if (sent >= 0 || errno == EAGAIN)
        conn_keep(c, buffer + (sent > 0 ? sent : 0),
                  (size_t)(n - (sent > 0 ? sent : 0)));
    else
        conn_close(c);
}

static void
conn_send_rest(struct conn *c)
{
    ssize_t n = send(c->fd, c->rest, c->left, MSG_NOSIGNAL);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n < 0) {
        conn_close(c);
        return;
    }
    c->left -= (size_t)n;
    memmove(c->rest, c->rest + n, c->left);
    if (c->left)
        return;
    free(c->rest);
    c->rest = NULL;
    serve_must(watch(EPOLL_CTL_MOD, c, EPOLLIN) == 0, "epoll_ctl");
}

/* 0 when stdin has ended. */
static int
input_goes_on(void)
{
    char bytes[64];

    return read(STDIN_FILENO, bytes, sizeof bytes) > 0;
}

static int
turn(struct conn *c)
{
    if (c == &input)
        return input_goes_on();
    if (c == &listener)
        accept_one();
    else if (c->left)
        conn_send_rest(c);
    else
        conn_echo(c);
    return 1;
}

int
main(int argc, char **argv)
{
    static const struct serve_description about = {
        .subject = "raw epoll",
        .how = "one level-triggered loop, one recv and one send a message",
        .silent = "what more than echoing would need",
        .axes = "",
    };
    struct epoll_event events[EVENTS];
    int goes_on = 1;

    serve_words(argc, argv, &about);
    set = epoll_create1(EPOLL_CLOEXEC);
    listener.fd = serve_listen(SOCK_NONBLOCK);
    input.fd = STDIN_FILENO;
    serve_must(set >= 0 && watch(EPOLL_CTL_ADD, &listener, EPOLLIN) == 0 &&
                   watch(EPOLL_CTL_ADD, &input, EPOLLIN) == 0,
               "epoll");
    while (goes_on) {
        int n = epoll_wait(set, events, EVENTS, -1);

        for (int i = 0; i < n && goes_on; i++)
            goes_on = turn(events[i].data.ptr);
    }
    return 0;
}
