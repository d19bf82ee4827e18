/* SPDX-License-Identifier: MIT */
/*
 * tests/epoll_test.c - the options of backends/epoll.c; its rules are kit/'s.
 */

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test_host.h"
#include "unit.h"

enum { PAIRS = 5 };

extern const struct pons_plugin *const poni_builtin_epoll;

static struct pons_reactor *
reactor_open(unsigned events)
{
    struct pons_reason reason;
    struct pons_reactor *r;

    CHECK_EQ(test_open_with(&r, poni_builtin_epoll->engines, "events", events,
                            &reason),
             0);
    CHECK_EQ(r->ops->bind(r), 0);
    return r;
}

/* PAIRS ops end at once; how many events the first poll has. */
static int
first_of_many(unsigned events)
{
    struct pons_reactor *r = reactor_open(events);
    struct pons_op op[PAIRS];
    struct pons_event ev[PAIRS];
    char c;
    int fds[PAIRS][2], first;

    for (int i = 0; i < PAIRS; i++) {
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds[i]), 0);
        CHECK_EQ(fcntl(fds[i][0], F_SETFL, O_NONBLOCK), 0);
        op[i] = (struct pons_op){
            .opcode = PONS_OP_RECV, .fd = fds[i][0], .addr = &c, .len = 1};
        CHECK_EQ(r->ops->submit(r, &op[i]), PONS_SUBMIT_PENDING);
    }
    for (int i = 0; i < PAIRS; i++) // one report each: writable
        CHECK_EQ(r->ops->poll(r, ev, PAIRS, 0), 0);
    for (int i = 0; i < PAIRS; i++)
        CHECK_EQ(write(fds[i][1], "x", 1), 1);
    first = r->ops->poll(r, ev, PAIRS, PONS_NEVER);
    for (int n = first; n < PAIRS;)
        n += r->ops->poll(r, ev, PAIRS, PONS_NEVER);
    for (int i = 0; i < PAIRS; i++) {
        CHECK_EQ(r->ops->forget(r, fds[i][0]), 0);
        close(fds[i][0]);
        close(fds[i][1]);
    }
    r->ops->close(r);
    return first;
}

static void
events_are_as_many_as_the_option_says(void)
{
    CHECK_EQ(first_of_many(1), 1);
    CHECK_EQ(first_of_many(256), PAIRS);
}

static const struct unit_test tests[] = {
    {"events_are_as_many_as_the_option_says",
     events_are_as_many_as_the_option_says},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("epoll", tests, argc, argv);
}
