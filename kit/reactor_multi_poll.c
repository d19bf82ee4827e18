/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_multi_poll.c - R10: POLL_MULTI tells what holds at first, and
 * news. It may repeat itself; a test looks until it does no more.
 */

#include "multi.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROUNDS = 500, FILLS = 20, REPEATS = 1000 };

static struct kit_multi
poll_of(struct pons_reactor *r, int fd, unsigned events)
{
    return kit_multi_of(r, PONS_OP_POLL_MULTI, fd, events);
}

/* Errors and the hang-up are told in any case. */
static void
poll_check(const struct kit_told *t)
{
    int asked = (int)t->of->how.len | POLLERR | POLLHUP;

    KIT_WANT(t->res > 0 && (t->res & ~asked) == 0,
             "a poll of many events for 0x%x: wanted some of these, found %d",
             t->of->how.len, t->res);
}

/* Its next event that says one of `events`. */
static int
poll_tells(struct kit_multi *m, int events)
{
    struct kit_told t;

    do {
        t = kit_multi_succeeds(m);
        poll_check(&t);
    } while ((t.res & events) == 0);
    return t.res;
}

/* Until nothing more is said: it repeats itself, but not without end. */
static void
poll_settles(struct pons_reactor *r)
{
    struct pons_event ev;
    int n, times = 0;

    while ((n = r->ops->poll(r, &ev, 1, 0)) > 0) {
        struct kit_told t = kit_told_by(&ev);

        poll_check(&t);
        KIT_WANT(++times < REPEATS,
                 "a poll of many events repeats itself %d times, and nothing "
                 "is new",
                 times);
        kit_multi_arm(t.of);
    }
    kit_check_result(n, 0, "poll with deadline 0");
}

static void
poll_at_first(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct kit_multi m;
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    m = poll_of(r, fds[0], POLLIN | POLLOUT);
    KIT_EQ(poll_tells(&m, POLLOUT), POLLOUT, "what holds of a new socket");
    poll_settles(r);
    kit_multi_stop(&m);
    kit_say(fds[1], "x");
    m = poll_of(r, fds[0], POLLIN);
    KIT_EQ(poll_tells(&m, POLLIN), POLLIN, "what holds where a byte is unread");
    poll_settles(r);
    kit_multi_arm(&m);
    kit_multi_cancel(&m);
    kit_multi_ends(&m, -ECANCELED);
    kit_quiet(r);
    m = poll_of(r, -1, POLLIN);
    kit_multi_ends(&m, -EBADF);
    kit_close_pair(r, fds);
    kit_close(r);
}

/* --- news --- */

static void
poll_arrivals_of(struct pons_reactor *r, int fds[2])
{
    struct kit_multi m = poll_of(r, fds[0], POLLIN);

    kit_multi_arm(&m);
    for (int i = 0; i < ROUNDS; i++) {
        if (i % 2 == 0)
            poll_settles(r);
        kit_say(fds[1], "x");
        (void)poll_tells(&m, POLLIN);
        if (i % 3 == 0) { // more, while the first is unread
            poll_settles(r);
            kit_say(fds[1], "y");
            (void)poll_tells(&m, POLLIN);
        }
        kit_drain(fds[0]);
    }
    kit_multi_stop(&m);
    kit_close_pair(r, fds);
}

static void
poll_arrivals(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    int fds[2], at_once = 1;

    kit_unix_pair(fds, SOCK_STREAM);
    poll_arrivals_of(r, fds);
    kit_tcp_pair(fds);
    KIT_SYS(
        setsockopt(fds[1], IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once));
    poll_arrivals_of(r, fds);
    kit_unix_pair(fds, SOCK_DGRAM);
    poll_arrivals_of(r, fds);
    kit_pipe(fds);
    poll_arrivals_of(r, fds);
    kit_close(r);
}

static void
poll_room(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct kit_multi m;
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    kit_fill(fds[0]);
    m = poll_of(r, fds[0], POLLOUT);
    kit_multi_arm(&m);
    for (int i = 0; i < FILLS; i++) {
        poll_settles(r);
        kit_drain(fds[1]);
        KIT_EQ(poll_tells(&m, POLLOUT), POLLOUT, "what there is besides room");
        kit_fill(fds[0]);
    }
    kit_multi_stop(&m);
    kit_close_pair(r, fds);
    kit_close(r);
}

/* With unread bytes and room to write. */
static void
poll_falls_quiet(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct kit_multi m;
    int fds[2];

    kit_tcp_pair(fds);
    kit_say(fds[1], "unread");
    m = poll_of(r, fds[0], POLLIN | POLLOUT);
    (void)poll_tells(&m, POLLIN);
    kit_multi_arm(&m);
    poll_settles(r);
    KIT_WANT(kit_sleeps(r), "poll spins instead of sleeping, while a "
                            "POLL_MULTI has nothing new to tell");
    kit_say(fds[1], "news");
    (void)poll_tells(&m, POLLIN);
    kit_multi_stop(&m);
    kit_close_pair(r, fds);
    kit_close(r);
}

static void
poll_endings(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct kit_multi m;
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    kit_say(fds[1], "unread");
    m = poll_of(r, fds[0], POLLRDHUP);
    kit_multi_arm(&m);
    kit_quiet(r);
    KIT_SYS(shutdown(fds[1], SHUT_WR));
    KIT_EQ(poll_tells(&m, POLLRDHUP), POLLRDHUP, "what a half-close is");
    kit_multi_arm(&m);
    poll_settles(r);
    close(fds[1]);
    (void)poll_tells(&m, POLLHUP);
    kit_multi_stop(&m);
    kit_forget(r, fds[0]);
    kit_close(r);
}

/* --- beside others --- */

/* Waits until both have told `events`, in any order. */
static void
poll_both_tell(struct kit_multi m[2], int events)
{
    int told = 0;

    while (told != 3) {
        struct kit_told t;

        for (int i = 0; i < 2; i++)
            kit_multi_arm(&m[i]);
        t = kit_told_next(m->r);
        poll_check(&t);
        if (t.res & events)
            told |= 1 << (t.of - m);
    }
}

static void
poll_twice(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct kit_multi m[2];
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    m[0] = poll_of(r, fds[0], POLLIN);
    m[1] = poll_of(r, fds[0], POLLIN | POLLRDHUP);
    for (int i = 0; i < FILLS; i++) {
        for (int n = 0; n < 2; n++)
            kit_multi_arm(&m[n]);
        poll_settles(r);
        kit_say(fds[1], "x");
        poll_both_tell(m, POLLIN);
        kit_drain(fds[0]);
    }
    poll_settles(r);
    kit_multi_stop(&m[0]);
    kit_say(fds[1], "x");
    (void)poll_tells(&m[1], POLLIN); // the other one stays
    kit_multi_stop(&m[1]);
    kit_close_pair(r, fds);
    kit_close(r);
}

/* A RECV takes the byte; whether it was told of is nobody's business. */
static void
poll_beside_recv(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct kit_multi m;
    struct pons_op op;
    int fds[2];
    char c;

    kit_unix_pair(fds, SOCK_STREAM);
    m = poll_of(r, fds[0], POLLIN);
    for (int i = 0; i < ROUNDS; i++) {
        struct kit_told t;

        kit_multi_arm(&m);
        op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
        kit_pends(r, &op);
        kit_say(fds[1], "x");
        while (t = kit_told_next(r), t.op != &op)
            kit_multi_arm(&m);
        kit_check_result(t.res, 1, "RECV beside a POLL_MULTI");
        poll_settles(r);
        kit_say(fds[1], "y");
        (void)poll_tells(&m, POLLIN);
        kit_drain(fds[0]);
        poll_settles(r);
    }
    kit_multi_stop(&m);
    kit_close_pair(r, fds);
    kit_close(r);
}

#define NEEDS (KIT_IO | KIT_POLL_MULTI)

const struct kit_test kit_multi_poll_tests[] = {
    {"R10", "a poll of many events tells what holds at first", NEEDS,
     KIT_MULTI_ON, poll_at_first},
    {"R10", "a poll of many events tells each arrival", NEEDS, KIT_MULTI_ON,
     poll_arrivals},
    {"R10", "a poll of many events tells of room, each time", NEEDS,
     KIT_MULTI_ON, poll_room},
    {"R10", "a poll of many events falls quiet where nothing is new", NEEDS,
     KIT_MULTI_ON, poll_falls_quiet},
    {"R10", "a poll of many events tells a half-close and the hang-up", NEEDS,
     KIT_MULTI_ON, poll_endings},
    {"R10", "two polls of many events are both told", NEEDS, KIT_MULTI_ON,
     poll_twice},
    {"R10", "a poll of many events stands beside a recv", NEEDS, KIT_MULTI_ON,
     poll_beside_recv},
    {0},
};
