/* SPDX-License-Identifier: MIT */
/*
 * tests/accept_multi_test.c - one request, many connections: on every reactor,
 * with every number of workers, and without any.
 */

#include <malloc.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#include "core/lock.h"
#include "course.h"
#include "everywhere.h"

enum {
    MANY = 200,   // one after the other
    CLIENTS = 20, // at once
};

static struct pons_stream *
listener_make(struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;
    struct pons_stream *s;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    *address = (struct sockaddr_in){.sin_family = AF_INET};
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_EQ(bind(fd, (struct sockaddr *)address, size), 0);
    CHECK_EQ(getsockname(fd, (struct sockaddr *)address, &size), 0);
    CHECK_EQ(listen(fd, 128), 0);
    CHECK_EQ(pons_stream_adopt(&s, fd), 0);
    return s;
}

/* Connected at once: the listener's queue has room. */
static int
client_make(const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK_EQ(connect(fd, (const struct sockaddr *)address, sizeof *address), 0);
    return fd;
}

static void
clients_make(int *fds, int n, const struct sockaddr_in *address)
{
    for (int i = 0; i < n; i++)
        fds[i] = client_make(address);
}

static void
clients_close(const int *fds, int n)
{
    for (int i = 0; i < n; i++)
        close(fds[i]);
}

/* The client whose other end `s` is says so to us. */
static void
check_connected(struct pons_stream *s, const int *fds, int n)
{
    struct sockaddr_in its, ours;
    socklen_t size = sizeof its;
    int found = 0;

    CHECK(s != NULL);
    CHECK_EQ(getpeername(pons_stream_fd(s), (struct sockaddr *)&its, &size), 0);
    for (int i = 0; i < n; i++) {
        size = sizeof ours;
        CHECK_EQ(getsockname(fds[i], (struct sockaddr *)&ours, &size), 0);
        found += ours.sin_port == its.sin_port;
    }
    CHECK_EQ(found, 1);
}

static void
accept_body(void *arg)
{
    struct pons_accept_multi m;
    struct pons_stream *listener, *s;
    struct sockaddr_in address;
    int fds[CLIENTS];

    (void)arg;
    listener = listener_make(&address);
    pons_accept_multi_init(&m, listener);
    for (int round = 0; round < 3; round++) {
        clients_make(fds, CLIENTS, &address);
        for (int i = 0; i < CLIENTS; i++) {
            CHECK_EQ(pons_accept_next(&m, &s), 0);
            check_connected(s, fds, CLIENTS);
            pons_stream_close(s);
        }
        clients_close(fds, CLIENTS);
    }
    CHECK_EQ(pons_accept_multi_end(&m), 0);
    pons_stream_close(listener);
}

static void
connections_come_one_by_one(void)
{
    everywhere(accept_body, NULL);
}

static void
accept_end_body(void *arg)
{
    struct pons_accept_multi m;
    struct pons_stream *listener, *s;
    struct sockaddr_in address;
    int fds[CLIENTS];

    (void)arg;
    listener = listener_make(&address);
    pons_accept_multi_init(&m, listener);
    clients_make(fds, CLIENTS, &address);
    CHECK_EQ(pons_accept_next(&m, &s), 0);
    pons_stream_close(s);
    CHECK_EQ(pons_accept_multi_end(&m), 0);
    CHECK(pons_ready_wait(listener, POLLIN) & POLLIN);
    for (int i = 1; i < CLIENTS; i++) { // told or not: none is lost
        CHECK_EQ(pons_accept(listener, &s), 0);
        check_connected(s, fds, CLIENTS);
        pons_stream_close(s);
    }
    clients_close(fds, CLIENTS);
    pons_stream_close(listener);
}

static void
connections_that_nobody_took_are_the_listeners(void)
{
    everywhere(accept_end_body, NULL);
}

/* Given back, and then nobody comes for them: they are closed, too. */
static void
accept_closed_body(void *arg)
{
    struct pons_accept_multi m;
    struct pons_stream *listener, *s;
    struct sockaddr_in address;
    int fds[CLIENTS];
    char c;

    (void)arg;
    listener = listener_make(&address);
    pons_accept_multi_init(&m, listener);
    clients_make(fds, CLIENTS, &address);
    CHECK_EQ(pons_accept_next(&m, &s), 0);
    pons_stream_close(s);
    CHECK_EQ(pons_accept_multi_end(&m), 0);
    pons_stream_close(listener);
    for (int i = 0; i < CLIENTS; i++) // the end, or a reset: not silence
        CHECK(recv(fds[i], &c, 1, 0) <= 0);
    clients_close(fds, CLIENTS);
}

static void
with_the_listener_they_are_closed(void)
{
    everywhere(accept_closed_body, NULL);
}

/* Each is taken when the next one has been told. */
static void
never_dry_body(void *arg)
{
    struct pons_accept_multi m;
    struct pons_stream *listener, *s;
    struct sockaddr_in address;
    int fd;

    (void)arg;
    listener = listener_make(&address);
    pons_accept_multi_init(&m, listener);
    fd = client_make(&address);
    CHECK_EQ(pons_accept_next(&m, &s), 0);
    close(fd);
    pons_stream_close(s);
    close(client_make(&address));
    for (int i = 0; i < MANY; i++) {
        close(client_make(&address));
        while (poni_load_relaxed(&m.multi.count) < 2)
            let_others_run();
        CHECK_EQ(pons_accept_next(&m, &s), 0);
        pons_stream_close(s);
    }
    CHECK(malloc_usable_size(m.multi.first) < MANY * sizeof(int));
    CHECK_EQ(pons_accept_multi_end(&m), 0);
    pons_stream_close(listener);
}

static int64_t
never_dry_fiber(void *arg)
{
    never_dry_body(arg);
    return 0;
}

static void
a_list_that_never_runs_dry_does_not_grow(void)
{
    struct pons_runtime *rt = runtime_of("epoll", "0");
    struct pons_task *t;

    CHECK_EQ(pons_spawn(rt, never_dry_fiber, NULL, &t), 0);
    CHECK_EQ(pons_join(t, NULL), 0);
    pons_runtime_unref(rt);
}

static void
an_engine_without_multishot_is_asked_each_time(void)
{
    without_multishot_anywhere(accept_body);
    without_multishot_anywhere(accept_end_body);
}

static const struct unit_test tests[] = {
    {"connections_come_one_by_one", connections_come_one_by_one},
    {"connections_that_nobody_took_are_the_listeners",
     connections_that_nobody_took_are_the_listeners},
    {"with_the_listener_they_are_closed", with_the_listener_they_are_closed},
    {"a_list_that_never_runs_dry_does_not_grow",
     a_list_that_never_runs_dry_does_not_grow},
    {"an_engine_without_multishot_is_asked_each_time",
     an_engine_without_multishot_is_asked_each_time},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("accept_multi", tests, argc, argv);
}
