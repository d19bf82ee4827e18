/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_close.c - R14: what is left after close, and in a forked child.
 */

#include "kit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    TIMES = 50,
    OFTEN = 200,
    CHUNK = 16, // bytes; malloc's least is more
    CHILDREN = 5,
    SOON_NS = 1000,
    HIGH = 900, // a descriptor far from the others
};

/* What an engine makes when it first has to, it makes here. */
static void
close_use(struct pons_reactor *r, int fd, int other)
{
    struct pons_event ev;
    struct pons_op op;
    char c;

    op = kit_op(PONS_OP_RECV, fd, &c, 1);
    kit_pends(r, &op);
    kit_say(other, "x");
    (void)kit_await(r, &op);
    (void)kit_run(r, kit_op(PONS_OP_SEND, fd, "y", 1));
    op = kit_op(PONS_OP_POLL, fd, NULL, POLLRDHUP);
    kit_pends(r, &op);
    r->ops->cancel(r, &op);
    (void)kit_await(r, &op);
    (void)r->ops->poll(r, &ev, 1, kit_now() + SOON_NS);
}

/* Some are forgotten before, and some close() finds still watched. */
static void
close_after_use(struct kit *k, int i)
{
    struct pons_reactor *r = kit_open(k);
    int fds[2], high;

    kit_unix_pair(fds, SOCK_STREAM);
    high = KIT_SYS(fcntl(fds[0], F_DUPFD_CLOEXEC, HIGH));
    close_use(r, fds[0], fds[1]);
    if (i % 2 == 0)
        close_use(r, high, fds[1]);
    if (i % 3 == 0 && r->ops->forget != NULL)
        kit_check_result(r->ops->forget(r, fds[0]), 0, "forget");
    kit_close(r);
    close(fds[0]);
    close(fds[1]);
    close(high);
}

static void
close_leaves_nothing(struct kit *k)
{
    long pieces = kit_host_pieces();
    int descriptors;

    close_after_use(k, 0); // what is opened once for the process is allowed
    descriptors = kit_descriptors();
    for (int i = 0; i < TIMES; i++)
        close_after_use(k, i);
    KIT_EQ(kit_host_pieces(), pieces,
           "pieces of the host's memory that are kept after close");
    KIT_EQ(kit_descriptors(), descriptors,
           "descriptors that are open after %d times open and close", TIMES);
}

/* Threads may take a moment to go; a second, which the time limit sees to. */
static void
close_leaves_no_thread(struct kit *k)
{
    int before = kit_threads();

    for (int i = 0; i < TIMES; i++)
        close_after_use(k, i);
    while (kit_threads() > before)
        sched_yield();
}

/* Those that were made to be nobody's children, too. */
static void
close_leaves_no_process(struct kit *k)
{
    KIT_SYS(prctl(PR_SET_CHILD_SUBREAPER, 1));
    close_after_use(k, 0);
    while (waitpid(-1, NULL, __WALL) >= 0 || errno == EINTR)
        continue;
}

/* Of malloc's, which no host counts, and which changes by a little. */
static void
close_leaves_no_heap(struct kit *k)
{
    size_t before;

    for (int i = 0; i < TIMES; i++)
        close_after_use(k, i);
    before = kit_heap();
    for (int i = 0; i < OFTEN; i++)
        close_after_use(k, i);
    KIT_WANT(kit_heap() < before + OFTEN * CHUNK,
             "heap in use after %d times open and close: wanted as much as "
             "before, found %zu bytes more",
             OFTEN, kit_heap() - before);
}

/* One of two is closed, and the other does not notice. */
static void
close_one_of_two(struct kit *k)
{
    struct pons_reactor *r = kit_open(k), *other = kit_open(k);
    struct pons_op op;
    char c;
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
    kit_pends(r, &op);
    kit_close(other);
    kit_say(fds[1], "x");
    kit_awaits(r, &op, 1);
    kit_close_pair(r, fds);
    kit_close(r);
}

/* The child's copies go, and it has not taken the parent's wake. */
static void
close_forked(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    long pieces = kit_host_pieces();
    struct pons_event ev;
    struct pons_op op;
    char c;
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
    kit_pends(r, &op);
    kit_quiet(r); // what is registered with the kernel late, is now
    kit_check_result(r->ops->wake(r), 0, "wake");
    if (kit_child()) {
        r->ops->forked(r);
        KIT_WANT(kit_host_pieces() < pieces,
                 "forked in a child: wanted memory to be freed, found none");
        kit_child_ends();
    }
    while (r->ops->poll(r, &ev, 1, PONS_NEVER) != 0)
        continue; // the wake is still owed
    kit_say(fds[1], "x");
    kit_awaits(r, &op, 1);
    kit_close_pair(r, fds);
    kit_close(r);
}

/* A child makes one of its own, while the parent's has ops in flight. */
static void
close_in_a_child(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op op;
    char c;
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
    kit_pends(r, &op);
    kit_quiet(r);
    for (int i = 0; i < CHILDREN; i++) {
        if (!kit_child())
            continue;
        r->ops->forked(r);
        for (int n = 0; n < CHILDREN; n++)
            close_after_use(k, n);
        kit_child_ends();
    }
    kit_say(fds[1], "x");
    kit_awaits(r, &op, 1);
    kit_close_pair(r, fds);
    kit_close(r);
}

/* Cancelled, ended and not yet told: a child may be forked at any time. */
static void
close_forked_in_between(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op ops[2];
    char c[2];
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    for (int i = 0; i < 2; i++) {
        ops[i] = kit_op(PONS_OP_RECV, fds[0], &c[i], 1);
        kit_pends(r, &ops[i]);
    }
    r->ops->cancel(r, &ops[0]);
    kit_say(fds[1], "xy");
    if (kit_child()) {
        r->ops->forked(r);
        kit_child_ends();
    }
    kit_await_all(r, ops, 2);
    kit_check_result(ops[1].res, 1, "a RECV beside a cancelled one");
    kit_close_pair(r, fds);
    kit_close(r);
}

const struct kit_test kit_close_tests[] = {
    {"R14", "close leaves no descriptor and no memory", KIT_ALL, NULL,
     close_leaves_nothing},
    {"R14", "close leaves no thread", KIT_ALL, NULL, close_leaves_no_thread},
    {"R14", "close leaves no process", KIT_ALL, NULL, close_leaves_no_process},
    {"R14", "close leaves nothing on the heap", KIT_ALL, "R12",
     close_leaves_no_heap},
    {"R14", "close disturbs no other reactor", KIT_IO, NULL, close_one_of_two},
    {"R14", "a forked child disturbs nothing", KIT_IO | KIT_FORKED, "R8",
     close_forked},
    {"R14", "a forked child may make reactors of its own", KIT_IO | KIT_FORKED,
     NULL, close_in_a_child},
    {"R14", "a fork between cancel and event disturbs nothing",
     KIT_IO | KIT_FORKED, NULL, close_forked_in_between},
    {0},
};
