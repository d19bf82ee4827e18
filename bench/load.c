/* SPDX-License-Identifier: MIT */
/*
 * bench/load.c - see bench/load.h.
 *
 * Level-triggered and without a try for more: a message that is complete needs
 * one recv, one send and a share of an epoll_wait. A message begins with its
 * number, so that one that comes twice, late or from elsewhere does not match.
 */

#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    EVENTS = 256,             // per system call
    PATIENCE_MS = 10000,      // without any answer: the server hangs
    SEND_BUFFER = 128 * 1024, // a message always fits: no short sends
    DESCRIPTORS_BESIDE = 64,  // of a process, beside its connections
    STEP = 7,                 // of the pattern from client to client
};

struct client {
    int fd;
    uint32_t number; // of its message
    size_t got;      // bytes of it that came back
    uint64_t since;  // when it was sent, or due
    uint64_t due;    // messages whose time has come, not yet sent
    uint64_t turn;   // open loop: which of all messages its next one is
    enum { CLIENT_IDLE, CLIENT_WAITS } state;
    char *message;
};

struct load {
    int epoll;
    unsigned connections;
    size_t bytes;
    uint64_t unsent, unanswered; // of this run
    uint64_t began, interval_ns; // open loop; 0 in a closed one
    struct histogram *latencies;
    char *messages, *answer;
    struct client clients[];
};

/* --- setting up --- */

int
load_allow(struct bench_run *r, unsigned connections)
{
    rlim_t wanted = connections + DESCRIPTORS_BESIDE;
    struct rlimit limit;
    char reason[160];

    bench_must(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
    if (limit.rlim_max < wanted) {
        snprintf(reason, sizeof reason,
                 "needs %llu descriptors; the hard limit (ulimit -Hn) is %llu",
                 (unsigned long long)wanted,
                 (unsigned long long)limit.rlim_max);
        bench_skip(r, reason);
        return -1;
    }
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = limit.rlim_max;
        bench_must(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
    }
    return 0;
}

int
load_connect(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bench_must(fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0,
               "connecting to the server");
    bench_must(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0,
               "TCP_NODELAY");
    return fd;
}

static void
client_open(struct load *l, struct client *c, int port)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    size_t who = (size_t)(c - l->clients);
    int size = SEND_BUFFER;

    c->fd = load_connect(port);
    if (l->bytes > SEND_BUFFER / 16)
        (void)setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    bench_must(epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &e) == 0, "epoll_ctl");
    c->message = l->messages + who * l->bytes;
    for (size_t i = 0; i < l->bytes; i++)
        c->message[i] = (char)(i + who * STEP);
}

struct load *
load_new(int port, unsigned connections, size_t bytes)
{
    struct load *l = calloc(1, sizeof *l + connections * sizeof l->clients[0]);

    bench_must(l != NULL, "memory");
    l->messages = malloc(connections * bytes);
    l->answer = malloc(bytes);
    bench_must(l->messages && l->answer, "memory");
    l->connections = connections;
    l->bytes = bytes;
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    bench_must(l->epoll >= 0, "epoll_create1");
    for (unsigned i = 0; i < connections; i++)
        client_open(l, &l->clients[i], port);
    return l;
}

void
load_free(struct load *l)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};

    for (unsigned i = 0; i < l->connections; i++) {
        (void)setsockopt(l->clients[i].fd, SOL_SOCKET, SO_LINGER, &reset,
                         sizeof reset);
        close(l->clients[i].fd);
    }
    close(l->epoll);
    free(l->messages);
    free(l->answer);
    free(l);
}

/* --- a message --- */

static void
client_send(struct load *l, struct client *c, uint64_t since)
{
    size_t head = l->bytes < sizeof c->number ? l->bytes : sizeof c->number;

    c->number++;
    memcpy(c->message, &c->number, head);
    c->got = 0;
    c->since = since;
    c->state = CLIENT_WAITS;
    l->unsent--;
    bench_must(send(c->fd, c->message, l->bytes, MSG_NOSIGNAL) ==
                   (ssize_t)l->bytes,
               "sending to the server");
}

/* The next that is due: of everyone's messages every l->connections-th. */
static void
client_send_due(struct load *l, struct client *c)
{
    uint64_t since = l->began + c->turn * l->interval_ns;

    c->due--;
    c->turn += l->connections;
    client_send(l, c, since);
}

static void
client_answered(struct load *l, struct client *c)
{
    uint64_t now = bench_now();

    c->state = CLIENT_IDLE;
    l->unanswered--;
    if (l->latencies)
        histogram_record(l->latencies, now - c->since);
    if (l->interval_ns) {
        if (c->due)
            client_send_due(l, c);
    } else if (l->unsent) {
        client_send(l, c, now);
    }
}

static void
client_receive(struct load *l, struct client *c)
{
    ssize_t n = recv(c->fd, l->answer, l->bytes - c->got, 0);

    bench_must(n > 0 && c->state == CLIENT_WAITS &&
                   memcmp(l->answer, c->message + c->got, (size_t)n) == 0,
               "comparing what the server sent");
    c->got += (size_t)n;
    if (c->got == l->bytes)
        client_answered(l, c);
}

/* How many answered, or parts of answers, came. */
static int
receive_some(struct load *l, int timeout_ms)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(l->epoll, events, EVENTS, timeout_ms);

    bench_must(n >= 0 || errno == EINTR, "epoll_wait");
    for (int i = 0; i < n; i++)
        client_receive(l, events[i].data.ptr);
    return n;
}

/* --- the loops --- */

static void
begin(struct load *l, uint64_t echoes, struct histogram *latencies)
{
    l->unsent = l->unanswered = echoes;
    l->latencies = latencies;
    l->interval_ns = 0;
}

void
load_closed(struct load *l, uint64_t echoes, struct histogram *latencies)
{
    begin(l, echoes, latencies);
    for (unsigned i = 0; i < l->connections && l->unsent; i++)
        client_send(l, &l->clients[i], bench_now());
    while (l->unanswered)
        bench_must(receive_some(l, PATIENCE_MS) != 0,
                   "waiting for the server's answers");
}

static void
client_due(struct load *l, struct client *c)
{
    c->due++;
    if (c->state == CLIENT_IDLE)
        client_send_due(l, c);
}

/* Spins: a sleep would be late, and its lateness counted as the server's. */
void
load_open(struct load *l, uint64_t echoes, uint64_t interval_ns,
          struct histogram *latencies)
{
    uint64_t next = 0, now, end;

    begin(l, echoes, latencies);
    l->interval_ns = interval_ns;
    for (unsigned i = 0; i < l->connections; i++) {
        l->clients[i].due = 0;
        l->clients[i].turn = i;
    }
    l->began = bench_now();
    end = l->began + echoes * interval_ns + PATIENCE_MS * 1000000ull;
    while (l->unanswered) {
        now = bench_now();
        bench_must(now < end, "waiting for the server's answers");
        while (next < echoes && l->began + next * interval_ns <= now)
            client_due(l, &l->clients[next++ % l->connections]);
        receive_some(l, 0);
    }
}
