/* SPDX-License-Identifier: MIT */
/*
 * tests/tcp_test.c - core/tcp.c: names, addresses, ports.
 *
 * The linker puts __wrap_getaddrinfo() in front of getaddrinfo(): a resolver
 * that hangs until it is let go, and names of our own.
 */

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "everywhere.h"
#include "localhost.h"
#include "pons/error.h"
#include "pons/time.h"

int __real_getaddrinfo(const char *host, const char *service,
                       const struct addrinfo *hints, struct addrinfo **found);
int __wrap_getaddrinfo(const char *host, const char *service,
                       const struct addrinfo *hints, struct addrinfo **found);

static int resolver_lets_go, resolver_began, resolver_ended;

static int
is(const int *flag)
{
    return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void
reset(int *flag)
{
    __atomic_store_n(flag, 0, __ATOMIC_RELEASE);
}

static void
add(int *flag)
{
    __atomic_fetch_add(flag, 1, __ATOMIC_ACQ_REL);
}

/* "127.0.0.1", but 127.0.0.2 comes first, where nobody listens. */
static int
two_addresses(const char *service, const struct addrinfo *hints,
              struct addrinfo **found)
{
    struct addrinfo *second;
    int err = __real_getaddrinfo("127.0.0.2", service, hints, found);

    if (err == 0)
        err = __real_getaddrinfo("127.0.0.1", service, hints, &second);
    if (err == 0)
        (*found)->ai_next = second;
    return err;
}

int
__wrap_getaddrinfo(const char *host, const char *service,
                   const struct addrinfo *hints, struct addrinfo **found)
{
    int numeric = hints->ai_flags & AI_NUMERICHOST, err;

    /* What glibc says where only the loopback has IPv6. */
    if (host != NULL && strchr(host, ':') && hints->ai_flags & AI_ADDRCONFIG)
        return EAI_ADDRFAMILY;
    if (host == NULL || numeric)
        return __real_getaddrinfo(host, service, hints, found);
    if (strcmp(host, "two.test") == 0)
        return two_addresses(service, hints, found);
    if (strcmp(host, "again.test") == 0)
        return EAI_AGAIN;
    if (strcmp(host, "memory.test") == 0)
        return EAI_MEMORY;
    if (strcmp(host, "dead.test") == 0)
        return EAI_NONAME;
    if (strcmp(host, "system.test") == 0) {
        errno = EMFILE;
        return EAI_SYSTEM;
    }
    if (strcmp(host, "slow.test") != 0)
        return __real_getaddrinfo(host, service, hints, found);
    add(&resolver_began);
    while (!is(&resolver_lets_go))
        (void)sched_yield();
    err = __real_getaddrinfo("127.0.0.1", service, hints, found);
    add(&resolver_ended);
    return err;
}

/* --- both ends --- */

struct server {
    struct pons_stream *listener;
    char port[8];
};

static void
server_open(struct server *s, const char *host)
{
    int port;

    if (pons_tcp_listen(&s->listener, host, "0", 0) < 0)
        fprintf(stderr, "%s\n", pons_last_error());
    CHECK(s->listener != NULL);
    port = pons_tcp_port(s->listener);
    CHECK(port > 0 && port < 65536);
    snprintf(s->port, sizeof s->port, "%d", port);
}

/* Takes one connection and says what its peer is. */
static int64_t
serves(void *arg)
{
    struct server *s = arg;
    struct sockaddr_storage a;
    socklen_t size = sizeof a;
    struct pons_stream *peer;
    char byte;

    CHECK_EQ(pons_accept(s->listener, &peer), 0);
    CHECK_EQ(pons_recv(peer, &byte, 1), 1);
    CHECK_EQ(pons_send(peer, &byte, 1), 1);
    CHECK_EQ(getpeername(pons_stream_fd(peer), (struct sockaddr *)&a, &size),
             0);
    CHECK_EQ(pons_tcp_port(peer), atoi(s->port));
    CHECK(fcntl(pons_stream_fd(peer), F_GETFD) & FD_CLOEXEC);
    pons_stream_close(peer);
    return a.ss_family;
}

/* Connects to `s` as `host`, and goes there and back. */
static void
visit(struct server *s, const char *host)
{
    struct pons_stream *conn;
    char byte = 0;
    int err = pons_tcp_connect(&conn, host, s->port);

    if (err < 0)
        fprintf(stderr, "%s\n", pons_last_error());
    CHECK_EQ(err, 0);
    CHECK_EQ(pons_send(conn, "b", 1), 1);
    CHECK_EQ(pons_recv(conn, &byte, 1), 1);
    CHECK_EQ(byte, 'b');
    pons_stream_close(conn);
}

struct visited {
    const char *listens, *connects;
    int family; // of the peer, as the server sees it; 0: whatever
};

static void
visit_body(void *arg)
{
    const struct visited *v = arg;
    struct server s;
    struct agent a;
    int64_t family;

    server_open(&s, v->listens);
    agent_start(&a, serves, &s);
    visit(&s, v->connects);
    family = agent_join(&a);
    if (v->family != 0)
        CHECK_EQ(family, v->family);
    pons_stream_close(s.listener);
}

static void
ipv4_connects(void)
{
    everywhere(visit_body,
               &(struct visited){"127.0.0.1", "127.0.0.1", AF_INET});
}

static int
have_ipv6(void)
{
    struct sockaddr_in6 a = {.sin6_family = AF_INET6,
                             .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int have = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0;

    if (fd >= 0)
        close(fd);
    return have;
}

static void
ipv6_connects(void)
{
    if (!have_ipv6())
        SKIP("no IPv6 here");
    everywhere(visit_body, &(struct visited){"::1", "::1", AF_INET6});
}

static void
wildcard_serves_both_families(void)
{
    everywhere(visit_body, &(struct visited){NULL, "127.0.0.1", 0});
    if (!have_ipv6())
        SKIP("no IPv6 here");
    everywhere(visit_body, &(struct visited){NULL, "::1", AF_INET6});
}

static void
names_are_resolved(void)
{
    NEEDS_LOCALHOST();
    everywhere(visit_body, &(struct visited){"localhost", "localhost", 0});
    everywhere(visit_body, &(struct visited){NULL, "localhost", 0});
}

static void
next_address_is_tried(void)
{
    everywhere(visit_body, &(struct visited){"127.0.0.1", "two.test", AF_INET});
}

/* --- the future forms --- */

static void
futures_body(void *arg)
{
    struct pons_stream *listener, *conn, *peer;
    struct pons_tcp_listen listening;
    struct pons_tcp_connect connecting;
    struct pons_accept accepting;
    char port[8];

    (void)arg;
    pons_tcp_listen_init(&listening, &listener, "localhost", "0", 3);
    CHECK(listener == NULL);
    CHECK_EQ(pons_await(&listening.base), 0);
    snprintf(port, sizeof port, "%d", pons_tcp_port(listener));
    pons_tcp_connect_init(&connecting, &conn, "localhost", port);
    CHECK(conn == NULL);
    CHECK_EQ(pons_await(&connecting.base), 0);
    pons_accept_init(&accepting, listener, &peer);
    CHECK_EQ(pons_await(&accepting.base), 0);
    CHECK_EQ(pons_send(peer, "x", 1), 1);
    CHECK_EQ(pons_recv(conn, port, 1), 1);
    pons_stream_close(peer);
    pons_stream_close(conn);
    pons_stream_close(listener);
}

static void
future_forms_do_the_same(void)
{
    NEEDS_LOCALHOST();
    everywhere(futures_body, NULL);
}

static void
copied_body(void *arg)
{
    struct pons_stream *conn;
    struct pons_tcp_connect c;
    struct server s;
    char host[] = "localhost";

    (void)arg;
    server_open(&s, "localhost");
    pons_tcp_connect_init(&c, &conn, host, s.port);
    memset(host, 'x', strlen(host));
    memset(s.port, 'x', strlen(s.port));
    CHECK_EQ(pons_await(&c.base), 0);
    pons_stream_close(conn);
    pons_stream_close(s.listener);
}

static void
names_are_copied(void)
{
    NEEDS_LOCALHOST();
    everywhere(copied_body, NULL);
}

/* --- failures --- */

static void
fails_with(const char *host, int err, const char *part)
{
    struct pons_stream *conn = (void *)&conn;

    CHECK_EQ(pons_tcp_connect(&conn, host, "7000"), err);
    CHECK(conn == NULL);
    CHECK_HAS(pons_last_error(), host);
    CHECK_HAS(pons_last_error(), "7000");
    CHECK_HAS(pons_last_error(), part);
}

static void
failures_body(void *arg)
{
    struct pons_stream *s;

    (void)arg;
    fails_with("dead.test", -ENOENT, "not known");
    fails_with("system.test", -EMFILE, strerror(EMFILE));
    fails_with("memory.test", -ENOMEM, "");
    fails_with("again.test", -EHOSTUNREACH, "");
    CHECK_EQ(pons_tcp_listen(&s, "dead.test", "0", 0), -ENOENT);
    CHECK(s == NULL);
    CHECK_HAS(pons_last_error(), "dead.test");
    CHECK_EQ(pons_tcp_connect(&s, "127.0.0.1", "no-such-service"), -ENOENT);
}

static void
dead_name_is_enoent_with_a_sentence(void)
{
    everywhere(failures_body, NULL);
}

static void
refused_body(void *arg)
{
    struct pons_stream *conn;
    struct server s;

    (void)arg;
    server_open(&s, "127.0.0.1");
    pons_stream_close(s.listener); // nobody listens there now
    CHECK_EQ(pons_tcp_connect(&conn, "127.0.0.1", s.port), -ECONNREFUSED);
    CHECK(conn == NULL);
    CHECK_HAS(pons_last_error(), s.port);
    CHECK_EQ(pons_tcp_connect(&conn, "two.test", s.port), -ECONNREFUSED);
}

static void
refused_connection_is_econnrefused(void)
{
    everywhere(refused_body, NULL);
}

static void
taken_body(void *arg)
{
    struct pons_stream *second;
    struct server s;

    (void)arg;
    server_open(&s, "127.0.0.1");
    CHECK_EQ(pons_tcp_listen(&second, "127.0.0.1", s.port, 0), -EADDRINUSE);
    CHECK(second == NULL);
    CHECK_HAS(pons_last_error(), s.port);
    pons_stream_close(s.listener);
}

static void
taken_port_is_eaddrinuse(void)
{
    everywhere(taken_body, NULL);
}

static void
other_streams_have_no_port(void)
{
    struct pons_stream *pair[2];

    stream_pair(pair);
    CHECK_EQ(pons_tcp_port(pair[0]), -EAFNOSUPPORT);
    pons_stream_close(pair[0]);
    pons_stream_close(pair[1]);
    stream_pipe(pair);
    CHECK_EQ(pons_tcp_port(pair[0]), -ENOTSOCK);
    pons_stream_close(pair[0]);
    pons_stream_close(pair[1]);
}

/* --- a resolver that hangs --- */

static int64_t
says_who_was_slow(int err, const char *call)
{
    CHECK_EQ(err, -ECANCELED);
    CHECK_HAS(pons_last_error(), call);
    CHECK_HAS(pons_last_error(), "slow.test");
    CHECK_HAS(pons_last_error(), "deadline");
    return err;
}

static int64_t
connects_slowly(void *arg)
{
    struct pons_stream *conn;

    (void)arg;
    return says_who_was_slow(pons_tcp_connect(&conn, "slow.test", "1"),
                             "\"1\"");
}

static int64_t
listens_slowly(void *arg)
{
    struct pons_stream *listener;

    (void)arg;
    return says_who_was_slow(pons_tcp_listen(&listener, "slow.test", "0", 0),
                             "listening");
}

/* The job goes on, and ends without its waiter. */
static void
resolver_is_let_go(void)
{
    CHECK_EQ(is(&resolver_ended), 0);
    add(&resolver_lets_go);
    while (is(&resolver_ended) < is(&resolver_began))
        let_others_run();
    reset(&resolver_lets_go);
    reset(&resolver_began);
    reset(&resolver_ended);
}

static uint64_t
jobs_so_far(void)
{
    struct pons_stats stats = {.size = sizeof stats};

    CHECK_EQ(pons_runtime_stats(pons_runtime_current(), &stats), 0);
    return stats.jobs;
}

static void
abandoned_body(void *arg)
{
    pons_fiber_f *fn[] = {connects_slowly, listens_slowly};

    (void)arg;
    if (pons_runtime_current() == NULL)
        return; // then the call is the call
    for (int i = 0; i < 4; i++) {
        uint64_t before = jobs_so_far(), soon = pons_after_ms(1);
        struct pons_task *t;
        int64_t answer;

        if (i < 2) {
            CHECK_EQ(pons_timeout(soon, fn[i], NULL, &answer), -ETIME);
            CHECK(pons_now() >= soon);
        } else {
            CHECK_EQ(pons_spawn(NULL, fn[i % 2], NULL, &t), 0);
            while (!is(&resolver_began))
                let_others_run();
            pons_cancel(t);
            CHECK_EQ(pons_join(t, &answer), 0);
            CHECK_EQ(answer, -ECANCELED);
        }
        /* A job that nobody waits for begins all the same, if there is one. */
        while ((uint64_t)is(&resolver_began) < jobs_so_far() - before)
            let_others_run();
        resolver_is_let_go();
    }
}

static void
look_up_is_abandoned_at_the_deadline(void)
{
    everywhere(abandoned_body, NULL);
}

static int64_t
slow_visit(void *arg)
{
    struct pons_stream *conn;

    CHECK_EQ(pons_tcp_connect(&conn, "slow.test", arg), 0);
    pons_stream_close(conn);
    return 1;
}

static void
slow_body(void *arg)
{
    struct server s;
    struct agent a;

    (void)arg;
    server_open(&s, "127.0.0.1");
    agent_start(&a, slow_visit, s.port);
    while (!is(&resolver_began))
        let_others_run(); // others run meanwhile
    add(&resolver_lets_go);
    CHECK_EQ(agent_join(&a), 1);
    reset(&resolver_lets_go);
    reset(&resolver_began);
    reset(&resolver_ended);
    pons_stream_close(s.listener);
}

static void
others_run_while_a_name_is_looked_up(void)
{
    everywhere(slow_body, NULL);
}

static const struct unit_test tests[] = {
#define T(name)     \
    {               \
#name, name \
    }
    T(ipv4_connects),
    T(ipv6_connects),
    T(wildcard_serves_both_families),
    T(names_are_resolved),
    T(next_address_is_tried),
    T(future_forms_do_the_same),
    T(names_are_copied),
    T(dead_name_is_enoent_with_a_sentence),
    T(refused_connection_is_econnrefused),
    T(taken_port_is_eaddrinuse),
    T(other_streams_have_no_port),
    T(look_up_is_abandoned_at_the_deadline),
    T(others_run_while_a_name_is_looked_up),
#undef T
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("tcp", tests, argc, argv);
}
