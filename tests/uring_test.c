/* SPDX-License-Identifier: MIT */
/*
 * tests/uring_test.c - what is backends/uring*.c's own; its rules are kit/'s.
 */

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/atomic.h"
#include "uring_rig.h"

static struct pons_reactor *
open_one(void)
{
    return open_with(NULL, 0);
}

static int
has(const struct pons_reactor *r, unsigned opcode)
{
    return r->opcodes[0] >> opcode & 1;
}

static struct pons_op
op_of(int opcode, int fd, void *addr, size_t len)
{
    return (struct pons_op){.opcode = (uint8_t)opcode,
                            .fd = fd,
                            .addr = addr,
                            .len = (uint32_t)len,
                            .offset = PONS_AT_POSITION};
}

/* Into the kernel; nothing has ended. */
static void
nothing_ends(struct pons_reactor *r)
{
    struct pons_event ev;

    CHECK_EQ(r->ops->poll(r, &ev, 1, 0), 0);
}

static int
run(struct pons_reactor *r, struct pons_op op)
{
    return r->ops->submit(r, &op) == PONS_SUBMIT_DONE ? op.res : ends(r, &op);
}

static void
pair(int fds[2])
{
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
}

static void
say(int fd, const char *text)
{
    CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
}

static void
close_pair(int fds[2])
{
    close(fds[0]);
    close(fds[1]);
}

static int
listen_on(struct sockaddr_in *address, int flags)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    socklen_t size = sizeof *address;

    *address = (struct sockaddr_in){.sin_family = AF_INET,
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK_EQ(bind(fd, (struct sockaddr *)address, size), 0);
    CHECK_EQ(getsockname(fd, (struct sockaddr *)address, &size), 0);
    CHECK_EQ(listen(fd, 16), 0);
    return fd;
}

static int
connect_to(const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK_EQ(connect(fd, (const struct sockaddr *)address, sizeof *address), 0);
    return fd;
}

static void
tcp_pair(int fds[2])
{
    struct sockaddr_in address;
    int listener = listen_on(&address, 0);

    fds[0] = connect_to(&address);
    fds[1] = accept(listener, NULL, NULL);
    CHECK(fds[1] >= 0);
    close(listener);
}

/* --- who sleeps elsewhere --- */

enum { WRITES = 5 };

static int
is_readable(int fd, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, timeout_ms) == 1;
}

static struct pons_reactor *
open_watched(int *fd)
{
    struct pons_reactor *r = open_with("owner", 1);
    int again;

    CHECK_EQ(r->ops->control(r, PONS_CONTROL_POLLABLE_FD, fd), 0);
    CHECK_EQ(r->ops->control(r, PONS_CONTROL_POLLABLE_FD, &again), 0);
    CHECK_EQ(again, *fd);
    return r;
}

static void
a_strict_owner_is_told_of_each_write_to_an_eventfd(void)
{
    int watched, written = eventfd(0, EFD_CLOEXEC);
    struct pons_reactor *r = open_watched(&watched);
    struct pons_event ev;
    uint64_t one = 1;

    for (int i = 0; i < WRITES; i++) {
        struct pons_op op = op_of(PONS_OP_POLL, written, NULL, POLLIN);

        pends(r, &op);
        nothing_ends(r);
        CHECK_EQ(write(written, &one, sizeof one), sizeof one);
        do // it may be told of what was taken before
            CHECK(is_readable(watched, -1));
        while (r->ops->poll(r, &ev, 1, 0) == 0);
        CHECK(ev.op == &op);
        CHECK_EQ(read(written, &one, sizeof one), sizeof one);
    }
    close(written);
    r->ops->close(r);
}

static void
what_a_strict_owner_is_told_late_falls_silent(void)
{
    int watched;
    struct pons_reactor *r = open_watched(&watched);
    uint64_t one = 1;

    nothing_ends(r);
    CHECK_EQ(write(watched, &one, sizeof one), sizeof one); // as the kernel
    CHECK(is_readable(watched, 0));
    nothing_ends(r);
    CHECK(!is_readable(watched, 0));
    r->ops->close(r);
}

/* --- what is refused --- */

static void
a_second_owner_of_a_strict_ring_is_refused(void)
{
    struct pons_reactor *r = open_with("owner", 1);

    CHECK(r->caps & PONS_REACTOR_PINNED);
    uring_self(r)->owner++; // as if another thread had it
    CHECK_EQ(r->ops->bind(r), -EOPNOTSUPP);
    uring_self(r)->owner--;
    r->ops->close(r);
}

static void
fewer_completions_than_entries_are_refused(void)
{
    struct pons_reason reason;
    struct pons_reactor *r = open_one();

    CHECK_EQ(test_open_with(&r, poni_builtin_uring->engines, "cq", 3, &reason),
             -EINVAL);
    CHECK_HAS(reason.text, "cq=3 is fewer than entries=256");
    r->ops->close(r);
}

static void
an_offset_of_what_has_none_is_espipe(void)
{
    struct pons_reactor *r = open_one();
    struct iovec part = {"x", 1};
    struct pons_op op;
    char c;
    int fds[2];

    CHECK_EQ(pipe(fds), 0);
    say(fds[1], "x");
    op = op_of(PONS_OP_READ, fds[0], &c, 1);
    op.offset = 0;
    CHECK_EQ(run(r, op), -ESPIPE);
    op.opcode = PONS_OP_WRITE;
    op.fd = fds[1];
    CHECK_EQ(run(r, op), -ESPIPE);
    op = op_of(PONS_OP_WRITEV, fds[1], &part, 1);
    op.offset = 0;
    CHECK_EQ(run(r, op), -ESPIPE);
    op.offset = PONS_AT_POSITION;
    CHECK_EQ(run(r, op), -EINVAL); // a negative one
    op = op_of(PONS_OP_FTRUNCATE, fds[1], NULL, 0);
    op.offset = (uint64_t)-2;
    if (has(r, PONS_OP_FTRUNCATE))
        CHECK_EQ(run(r, op), -EINVAL);
    CHECK_EQ(read(fds[0], &c, 1), 1);
    close_pair(fds);
    r->ops->close(r);
}

/* --- results that the ring has otherwise --- */

/* POLLRDHUP, which the ring tells unasked, holds all the time. */
static void
a_poll_is_ended_by_what_it_names(void)
{
    struct pons_reactor *r = open_one();
    struct pons_op op;
    int fds[2];

    tcp_pair(fds);
    CHECK_EQ(send(fds[1], "x", 1, 0), 1);
    CHECK_EQ(shutdown(fds[1], SHUT_WR), 0);
    CHECK_EQ(run(r, op_of(PONS_OP_POLL, fds[0], NULL, POLLIN)), POLLIN);

    op = op_of(PONS_OP_POLL, fds[0], NULL, POLLPRI);
    pends(r, &op);
    for (int i = 0; i < 10; i++)
        nothing_ends(r);
    r->ops->cancel(r, &op);
    CHECK_EQ(ends(r, &op), -ECANCELED);

    op = op_of(PONS_OP_POLL, fds[0], NULL, 0);
    pends(r, &op);
    nothing_ends(r);
    CHECK_EQ(shutdown(fds[0], SHUT_WR), 0); // now it is a hang-up
    CHECK_EQ(ends(r, &op), POLLHUP);
    close_pair(fds);
    r->ops->close(r);
}

/* It has no other way not to wait than to be asked. */
static void
a_large_write_to_a_tty_does_not_hold_up_its_owner(void)
{
    static char text[100000];
    struct pons_reactor *r = open_one();
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave, n;
    struct pons_op op;

    if (master < 0)
        SKIP("no ttys here");
    CHECK_EQ(grantpt(master), 0);
    CHECK_EQ(unlockpt(master), 0);
    slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    memset(text, 'x', sizeof text);
    op = op_of(PONS_OP_WRITE, slave, text, sizeof text);
    do { // until nobody reads what is there
        struct pons_event ev;

        pends(r, &op);
        n = r->ops->poll(r, &ev, 1, test_host()->now(test_host()) + 50000000);
        if (n == 1)
            CHECK(ev.res > 0);
    } while (n == 1);
    r->ops->cancel(r, &op);
    n = ends(r, &op); // what there was room for is written
    CHECK(n > 0 || n == -ECANCELED);
    close(slave);
    close(master);
    r->ops->close(r);
}

/* The kernel's own second try would send nothing. */
static void
a_send_that_waited_sends_all_of_it(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0pons-all"};
    int from = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), n = 0;
    int to = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct iovec part = {"hello", 5};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
    struct pons_reactor *r = open_one();
    char text[8] = "";

    CHECK_EQ(bind(to, (struct sockaddr *)&name, sizeof name), 0);
    CHECK_EQ(connect(from, (struct sockaddr *)&name, sizeof name), 0);
    for (int i = 0; i < 3; i++) {
        struct pons_op op = op_of(PONS_OP_SEND, from, "hello", 5);

        if (i > 0)
            op = op_of(PONS_OP_SENDMSG, from, &m, 0);
        if (i == 2) { // by name, as poll(2) does not know
            m.msg_name = &name;
            m.msg_namelen = sizeof name;
        }
        while (send(from, "y", 1, MSG_DONTWAIT) == 1)
            n++;
        pends(r, &op);
        nothing_ends(r);
        for (; n > 0; n--)
            CHECK_EQ(recv(to, text, sizeof text, 0), 1);
        CHECK_EQ(ends(r, &op), 5);
        CHECK_EQ(recv(to, text, sizeof text, 0), 5);
        CHECK_EQ(memcmp(text, "hello", 5), 0);
    }
    close(from);
    close(to);
    r->ops->close(r);
}

static int signals;

static void
count_signal(int signal)
{
    (void)signal;
    signals++;
}

/* As before Linux 6.18: the write is made here. */
static void
without_rwf_nosignal_a_write_raises_no_signal(void)
{
    static char text[65536 + 4096];
    struct pons_reactor *r = open_one();
    struct pons_op op;
    int fds[2], n;

    uring_self(r)->can.nosignal = 0;
    signal(SIGPIPE, count_signal);
    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(run(r, op_of(PONS_OP_WRITE, fds[1], "abc", 3)), 3);
    while ((n = run(r, op_of(PONS_OP_WRITE, fds[1], text, sizeof text))) ==
           (int)sizeof text)
        continue;
    CHECK(n > 0);
    op = op_of(PONS_OP_WRITE, fds[1], "x", 1);
    pends(r, &op);
    nothing_ends(r);
    close(fds[0]);
    CHECK_EQ(ends(r, &op), -EPIPE);
    CHECK_EQ(signals, 0);
    close(fds[1]);
    r->ops->close(r);
}

/* --- tiny rings --- */

enum { MANY = 300 };

static void
nothing_is_lost_in_a_ring_of(const char *option, uint64_t value)
{
    struct pons_reactor *r = open_with(option, value);
    struct pons_op ops[MANY];
    char bytes[MANY];
    int fds[MANY][2];

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < MANY; i++) {
            pair(fds[i]);
            ops[i] = op_of(PONS_OP_RECV, fds[i][0], &bytes[i], 1);
            pends(r, &ops[i]);
        }
        CHECK_EQ(r->ops->wake(r), 0);
        while (r->ops->poll(r, &(struct pons_event){0}, 1, PONS_NEVER) != 0)
            CHECK(!"an op that nobody has answered has ended");
        for (int i = 0; i < MANY; i += 2)
            r->ops->cancel(r, &ops[i]);
        for (int i = 1; i < MANY; i += 2)
            say(fds[i][1], "x");
        for (int i = 0; i < MANY; i++) {
            struct pons_event ev = event(r);

            CHECK_EQ(ev.res, (ev.op - ops) % 2 ? 1 : -ECANCELED);
        }
        nothing_ends(r);
        for (int i = 0; i < MANY; i++)
            close_pair(fds[i]);
    }
    r->ops->close(r);
}

static void
rings_of_2_and_4_entries_lose_nothing(void)
{
    nothing_is_lost_in_a_ring_of("entries", 2);
    nothing_is_lost_in_a_ring_of("entries", 4);
}

static void
completions_that_find_no_room_are_not_lost(void)
{
    nothing_is_lost_in_a_ring_of("cq", 256);
}

/* --- owners --- */

struct old_owner {
    struct pons_reactor *r;
    struct pons_op *ops;
    unsigned count;
    int has, leave; // it has submitted; it may end
    int spins;
    int bed[2];
};

static void *
old_owner(void *arg)
{
    struct old_owner *o = arg;
    char c;

    CHECK_EQ(o->r->ops->bind(o->r), 0);
    for (unsigned i = 0; i < o->count; i++)
        pends(o->r, &o->ops[i]);
    nothing_ends(o->r);
    /* Pairs with the acquire in move_of(): the reactor is handed over. */
    poni_store_release(&o->has, 1);
    while (o->spins && !poni_load_acquire(&o->leave))
        continue;
    while (!o->spins && read(o->bed[0], &c, 1) < 0)
        CHECK_EQ(errno, EINTR);
    return NULL;
}

enum { MOVED = 5 };

/* What is in the kernel in the name of an old owner ends at the new one. */
static void
move_of(int spins)
{
    struct old_owner o = {.r = open_one(), .count = MOVED, .spins = spins};
    struct sockaddr_in address;
    int listener = listen_on(&address, SOCK_NONBLOCK), fds[2], p[2], client;
    struct pons_op ops[MOVED];
    pthread_t thread;
    char c[2];

    pair(fds);
    CHECK_EQ(pipe(p), 0);
    CHECK_EQ(pipe(o.bed), 0);
    ops[0] = op_of(PONS_OP_RECV, fds[0], &c[0], 1);
    ops[1] = op_of(PONS_OP_READ, p[0], &c[1], 1);
    ops[2] = op_of(PONS_OP_ACCEPT, listener, NULL, 0);
    ops[3] = op_of(PONS_OP_POLL, fds[1], NULL, POLLIN);
    ops[4] = op_of(PONS_OP_RECV, fds[0], &c[0], 1);
    o.ops = ops;
    CHECK_EQ(pthread_create(&thread, NULL, old_owner, &o), 0);
    while (!poni_load_acquire(&o.has))
        sched_yield();
    CHECK_EQ(o.r->ops->bind(o.r), 0);
    nothing_ends(o.r);
    say(fds[1], "x");
    CHECK_EQ(event(o.r).res, 1);
    say(p[1], "y");
    CHECK_EQ(ends(o.r, &ops[1]), 1);
    client = connect_to(&address);
    close(ends(o.r, &ops[2]));
    say(fds[0], "z");
    CHECK_EQ(ends(o.r, &ops[3]), POLLIN);
    say(fds[1], "x");
    CHECK_EQ(event(o.r).res, 1);
    nothing_ends(o.r);
    CHECK_EQ(o.r->ops->wake(o.r), 0);
    CHECK_EQ(o.r->ops->poll(o.r, &(struct pons_event){0}, 1, PONS_NEVER), 0);
    poni_store_release(&o.leave, 1);
    say(o.bed[1], "x");
    pthread_join(thread, NULL);
    close(client);
    close(listener);
    close_pair(fds);
    close_pair(p);
    close_pair(o.bed);
    o.r->ops->close(o.r);
}

static void
what_an_owner_has_in_the_kernel_moves_while_it_sleeps(void)
{
    move_of(0);
}

static void
what_an_owner_has_in_the_kernel_moves_while_it_spins(void)
{
    move_of(1);
}

struct out_of_reach {
    struct pons_reactor *r;
    int has, enough;
    int way_out[2];
};

/* In vfork(2), where no signal gets at it, and no task of the kernel's. */
static void *
vforks(void *arg)
{
    struct out_of_reach *o = arg;
    char c;

    CHECK_EQ(o->r->ops->bind(o->r), 0);
    nothing_ends(o->r); // its bell rings
    poni_store_release(&o->has, 1);
    if (vfork() == 0) {
        alarm(60); // if the test is gone
        while (read(o->way_out[0], &c, 1) < 0)
            continue;
        _exit(0);
    }
    return NULL;
}

static void *
wakes(void *arg)
{
    struct out_of_reach *o = arg;

    while (!poni_load_acquire(&o->enough))
        CHECK_EQ(o->r->ops->wake(o->r), 0);
    return NULL;
}

static void
wakes_find_the_new_owner_though_the_old_one_is_out_of_reach(void)
{
    struct out_of_reach o = {.r = open_one()};
    pthread_t threads[2];
    struct pons_event ev;

    CHECK_EQ(pipe(o.way_out), 0);
    CHECK_EQ(pthread_create(&threads[0], NULL, vforks, &o), 0);
    while (!poni_load_acquire(&o.has))
        sched_yield();
    CHECK_EQ(o.r->ops->bind(o.r), 0);
    CHECK_EQ(pthread_create(&threads[1], NULL, wakes, &o), 0);
    for (int i = 0; i < 2000; i++)
        CHECK_EQ(o.r->ops->poll(o.r, &ev, 1, PONS_NEVER), 0);
    poni_store_release(&o.enough, 1);
    say(o.way_out[1], "x");
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    close_pair(o.way_out);
    o.r->ops->close(o.r);
}

struct passer {
    struct pons_reactor *r;
    struct pons_op *op;
};

static void *
pass_on(void *arg)
{
    struct passer *p = arg;

    CHECK_EQ(p->r->ops->bind(p->r), 0);
    pends(p->r, p->op);
    nothing_ends(p->r);
    return NULL;
}

/* The thread ends, and the kernel takes back what it has begun. */
static void
moved_from_a_thread_that_ends(struct pons_reactor *r, struct pons_op *op)
{
    struct passer p = {r, op};
    pthread_t thread;

    CHECK_EQ(pthread_create(&thread, NULL, pass_on, &p), 0);
    pthread_join(thread, NULL);
    CHECK_EQ(r->ops->bind(r), 0);
}

/* Nobody has seen to it that the other side answers, till it is moved. */
static void
a_connect_that_has_begun_moves(void)
{
    struct pons_reactor *r = open_one();
    struct sockaddr_in address;
    int listener = listen_on(&address, SOCK_NONBLOCK), fillers[64], n = 0, fd;
    struct pons_op op;

    CHECK_EQ(listen(listener, 0), 0); // a queue of one
    for (; n < 2; n++) {
        fillers[n] =
            socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)connect(fillers[n], (struct sockaddr *)&address, sizeof address);
    }
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    op = op_of(PONS_OP_CONNECT, fd, &address, sizeof address);
    moved_from_a_thread_that_ends(r, &op);
    nothing_ends(r);
    for (int i = 0; i < 2; i++) { // there is room now
        struct pollfd p = {.fd = listener, .events = POLLIN};

        CHECK_EQ(poll(&p, 1, -1), 1);
        close(accept(listener, NULL, NULL));
    }
    CHECK_EQ(ends(r, &op), 0);
    for (int i = 0; i < n; i++)
        close(fillers[i]);
    close(fd);
    close(listener);
    r->ops->close(r);
}

static void
a_multishot_moves(void)
{
    struct pons_reactor *r = open_one();
    struct sockaddr_in address;
    int listener = listen_on(&address, SOCK_NONBLOCK), client;
    struct pons_op op = op_of(PONS_OP_ACCEPT_MULTI, listener, NULL, 0);
    struct pons_event ev;

    if (!has(r, PONS_OP_ACCEPT_MULTI))
        SKIP("this kernel has no multishot accept");
    for (int i = 0; i < 3; i++) {
        if (i == 0)
            moved_from_a_thread_that_ends(r, &op);
        client = connect_to(&address);
        ev = event(r);
        CHECK(ev.res >= 0);
        CHECK_EQ(ev.flags, PONS_EVENT_MORE);
        close(ev.res);
        close(client);
    }
    r->ops->cancel(r, &op);
    CHECK_EQ(ends(r, &op), -ECANCELED);
    close(listener);
    r->ops->close(r);
}

/* --- multishot --- */

static void
accept_multi_takes_one_after_the_other(void)
{
    struct pons_reactor *r = open_one();
    struct sockaddr_in address;
    int listener = listen_on(&address, SOCK_NONBLOCK), clients[3];
    struct pons_op op = op_of(PONS_OP_ACCEPT_MULTI, listener, NULL, 0);

    if (!has(r, PONS_OP_ACCEPT_MULTI))
        SKIP("this kernel has no multishot accept");
    op.op_flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
    pends(r, &op);
    nothing_ends(r);
    for (int i = 0; i < 3; i++)
        clients[i] = connect_to(&address);
    for (int i = 0; i < 3; i++) {
        struct pons_event ev = event(r);

        CHECK(ev.op == &op && ev.flags == PONS_EVENT_MORE);
        CHECK_EQ(fcntl(ev.res, F_GETFD), FD_CLOEXEC);
        CHECK(fcntl(ev.res, F_GETFL) & O_NONBLOCK);
        close(ev.res);
        close(clients[i]);
    }
    r->ops->cancel(r, &op);
    CHECK_EQ(ends(r, &op), -ECANCELED);
    clients[0] = connect_to(&address);
    close(run(r, op_of(PONS_OP_ACCEPT, listener, NULL, 0)));
    close(clients[0]);
    close(listener);
    listener = listen_on(&address, 0);
    CHECK_EQ(run(r, op_of(PONS_OP_ACCEPT_MULTI, listener, NULL, 0)), -EINVAL);
    CHECK_EQ(run(r, op_of(PONS_OP_ACCEPT_MULTI, -1, NULL, 0)), -EBADF);
    close(listener);
    r->ops->close(r);
}

static void
poll_multi_tells_what_is_new(void)
{
    struct pons_reactor *r = open_one();
    struct pons_event ev;
    struct pons_op op;
    char c;
    int fds[2];

    if (!has(r, PONS_OP_POLL_MULTI))
        SKIP("this kernel has no multishot poll");
    pair(fds);
    say(fds[1], "x");
    op = op_of(PONS_OP_POLL_MULTI, fds[0], NULL, POLLIN);
    pends(r, &op);
    for (int i = 0; i < 3; i++) {
        ev = event(r);
        CHECK_EQ(ev.res, POLLIN);
        CHECK_EQ(ev.flags, PONS_EVENT_MORE);
        nothing_ends(r);
        CHECK_EQ(read(fds[0], &c, 1), 1);
        nothing_ends(r);
        say(fds[1], "y");
    }
    ev = event(r);
    CHECK_EQ(ev.res, POLLIN);
    r->ops->cancel(r, &op);
    CHECK_EQ(ends(r, &op), -ECANCELED);
    CHECK_EQ(run(r, op_of(PONS_OP_POLL_MULTI, -1, NULL, POLLIN)), -EBADF);
    close_pair(fds);
    r->ops->close(r);
}

enum { BUFFERS = 4, SIZE = 8, GROUP = 3 };

static char lent[BUFFERS * SIZE];

static struct pons_reactor *
open_lending(void)
{
    struct pons_buffers b = {
        .base = lent, .size = SIZE, .count = BUFFERS, .group = GROUP};
    struct pons_reactor *r = open_one();

    if (!has(r, PONS_OP_RECV_MULTI))
        SKIP("this kernel has no multishot recv");
    CHECK_EQ(r->ops->control(r, PONS_CONTROL_LEND, &b), 0);
    return r;
}

static struct pons_op
recv_multi(int fd)
{
    struct pons_op op = op_of(PONS_OP_RECV_MULTI, fd, NULL, 0);

    op.buffer_group = GROUP;
    return op;
}

static int
give_back(struct pons_reactor *r, unsigned group, unsigned index)
{
    struct pons_lent_buffer l = {(uint16_t)group, (uint16_t)index};

    return r->ops->control(r, PONS_CONTROL_RETURN, &l);
}

static void
asks_to_lend(const char *option, uint64_t value, unsigned count, unsigned size,
             unsigned ahead)
{
    struct pons_buffers b = {0};
    struct pons_reactor *r = open_with(option, value);

    if (!has(r, PONS_OP_RECV_MULTI))
        SKIP("this kernel has no multishot recv");
    CHECK_EQ(r->ops->control(r, PONS_CONTROL_LENDING, &b), 0);
    CHECK_EQ(b.count, count);
    CHECK_EQ(b.size, size);
    CHECK_EQ(b.ahead, ahead);
    r->ops->close(r);
}

static void
what_is_lent_is_an_option(void)
{
    asks_to_lend(NULL, 0, 64, 16384, 16);
    asks_to_lend("buffers", 1, 1, 16384, 16);
    asks_to_lend("buffers", 5, 8, 16384, 16);
    asks_to_lend("buffers", PONS_BUFFERS_MAX, PONS_BUFFERS_MAX, 16384, 16);
    asks_to_lend("buffer_size", 4096, 64, 4096, 16);
    asks_to_lend("ahead", 2, 64, 16384, 2);
}

/* One event with so many bytes in a buffer, whose number it is. */
static unsigned
recv_event(struct pons_reactor *r, struct pons_op *op, const char *text)
{
    struct pons_event ev = event(r);
    unsigned index = ev.flags >> PONS_EVENT_BUFFER_SHIFT;

    CHECK(ev.op == op);
    CHECK_EQ(ev.res, strlen(text));
    CHECK(ev.flags & PONS_EVENT_BUFFER);
    CHECK(index < BUFFERS);
    CHECK_EQ(memcmp(lent + index * SIZE, text, strlen(text)), 0);
    return index;
}

static void
recv_multi_lends_a_buffer_with_each_event(void)
{
    struct pons_reactor *r = open_lending();
    struct pons_op op;
    int fds[2];

    pair(fds);
    op = recv_multi(fds[0]);
    pends(r, &op);
    nothing_ends(r);
    for (int i = 0; i < 3 * BUFFERS; i++) {
        unsigned index;

        say(fds[1], "abc");
        index = recv_event(r, &op, "abc");
        CHECK_EQ(give_back(r, GROUP, index), 0);
        CHECK_EQ(give_back(r, GROUP, index), -EINVAL);
    }
    CHECK_EQ(shutdown(fds[1], SHUT_WR), 0);
    CHECK_EQ(ends(r, &op), 0);
    close_pair(fds);
    r->ops->close(r);
}

static void
without_buffers_recv_multi_ends_with_enobufs(void)
{
    struct pons_reactor *r = open_lending();
    unsigned index[BUFFERS];
    struct pons_event ev;
    struct pons_op op;
    int fds[2];

    pair(fds);
    op = recv_multi(fds[0]);
    pends(r, &op);
    nothing_ends(r);
    say(fds[1], "0000000011111111222222223333333344444444");
    for (int i = 0; i < BUFFERS; i++) {
        char text[SIZE + 1] = "";

        memset(text, '0' + i, SIZE);
        index[i] = recv_event(r, &op, text);
    }
    ev = event(r);
    CHECK_EQ(ev.res, -ENOBUFS);
    CHECK_EQ(ev.flags, 0);
    pends(r, &op);
    CHECK_EQ(ends(r, &op), -ENOBUFS);
    CHECK_EQ(give_back(r, GROUP, index[2]), 0);
    pends(r, &op);
    CHECK_EQ(recv_event(r, &op, "44444444"), index[2]);
    ev.res = 0;
    if (r->ops->poll(r, &ev, 1, 0) == 0) {
        r->ops->cancel(r, &op);
        ev = event(r);
        CHECK_EQ(ev.res, -ECANCELED);
    } else {
        CHECK_EQ(ev.res, -ENOBUFS);
    }
    close_pair(fds);
    r->ops->close(r);
}

static void
a_cancelled_recv_multi_leaves_the_bytes(void)
{
    struct pons_reactor *r = open_lending();
    struct pons_op op;
    char text[SIZE] = "";
    int fds[2];

    pair(fds);
    op = recv_multi(fds[0]);
    pends(r, &op);
    nothing_ends(r);
    r->ops->cancel(r, &op);
    CHECK_EQ(ends(r, &op), -ECANCELED);
    say(fds[1], "left");
    CHECK_EQ(run(r, op_of(PONS_OP_RECV, fds[0], text, SIZE)), 4);
    CHECK_EQ(memcmp(text, "left", 4), 0);
    close_pair(fds);
    r->ops->close(r);
}

/* An empty datagram is no success, so it lends nothing. */
static void
an_empty_datagram_lends_nothing(void)
{
    struct pons_reactor *r = open_lending();
    struct pons_op op;
    int fds[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
    op = recv_multi(fds[0]);
    for (int i = 0; i < 3 * BUFFERS; i++) {
        pends(r, &op);
        CHECK_EQ(send(fds[1], "", 0, 0), 0);
        CHECK_EQ(ends(r, &op), 0);
    }
    pends(r, &op);
    CHECK_EQ(send(fds[1], "ab", 2, 0), 2);
    CHECK_EQ(send(fds[1], "c", 1, 0), 1);
    (void)recv_event(r, &op, "ab");
    (void)recv_event(r, &op, "c");
    r->ops->cancel(r, &op);
    CHECK_EQ(ends(r, &op), -ECANCELED);
    close_pair(fds);
    r->ops->close(r);
}

static void
groups_that_cannot_be_are_refused(void)
{
    struct pons_reactor *r = open_lending();
    struct pons_buffers b = {
        .base = lent, .size = SIZE, .count = BUFFERS, .group = GROUP};
    struct pons_op op = recv_multi(0);
    int err;

    CHECK_EQ(r->ops->control(r, PONS_CONTROL_LEND, &b), -EEXIST);
    b.group = 0;
    b.count = 3;
    CHECK_EQ(r->ops->control(r, PONS_CONTROL_LEND, &b), -EINVAL);
    b.count = 2 * PONS_BUFFERS_MAX;
    CHECK_EQ(r->ops->control(r, PONS_CONTROL_LEND, &b), -EINVAL);
    b.count = 1;
    b.size = 0;
    CHECK_EQ(r->ops->control(r, PONS_CONTROL_LEND, &b), -EINVAL);
    b.size = 1;
    test_allocs_left = 0;
    CHECK_EQ(r->ops->control(r, PONS_CONTROL_LEND, &b), -ENOMEM);
    test_allocs_left = -1;
    while ((err = r->ops->control(r, PONS_CONTROL_LEND, &b)) == 0)
        if (++b.group == GROUP)
            b.group++;
    CHECK_EQ(err, -ENOSPC);
    CHECK_EQ(give_back(r, GROUP, 0), -EINVAL);
    CHECK_EQ(give_back(r, GROUP, BUFFERS), -EINVAL);
    CHECK_EQ(give_back(r, 1000, 0), -EINVAL);
    op.buffer_group = 1000;
    CHECK_EQ(run(r, op), -EINVAL);
    op = recv_multi(0);
    op.op_flags = MSG_PEEK;
    CHECK_EQ(run(r, op), -EINVAL);
    r->ops->close(r);
    CHECK_EQ(test_pieces, 0);
}

// clang-format off
static const struct unit_test tests[] = {
    {"a_strict_owner_is_told_of_each_write_to_an_eventfd", a_strict_owner_is_told_of_each_write_to_an_eventfd},
    {"what_a_strict_owner_is_told_late_falls_silent", what_a_strict_owner_is_told_late_falls_silent},
    {"a_second_owner_of_a_strict_ring_is_refused", a_second_owner_of_a_strict_ring_is_refused},
    {"fewer_completions_than_entries_are_refused", fewer_completions_than_entries_are_refused},
    {"an_offset_of_what_has_none_is_espipe", an_offset_of_what_has_none_is_espipe},
    {"a_poll_is_ended_by_what_it_names", a_poll_is_ended_by_what_it_names},
    {"a_large_write_to_a_tty_does_not_hold_up_its_owner", a_large_write_to_a_tty_does_not_hold_up_its_owner},
    {"a_send_that_waited_sends_all_of_it", a_send_that_waited_sends_all_of_it},
    {"without_rwf_nosignal_a_write_raises_no_signal", without_rwf_nosignal_a_write_raises_no_signal},
    {"rings_of_2_and_4_entries_lose_nothing", rings_of_2_and_4_entries_lose_nothing},
    {"completions_that_find_no_room_are_not_lost", completions_that_find_no_room_are_not_lost},
    {"what_an_owner_has_in_the_kernel_moves_while_it_sleeps", what_an_owner_has_in_the_kernel_moves_while_it_sleeps},
    {"what_an_owner_has_in_the_kernel_moves_while_it_spins", what_an_owner_has_in_the_kernel_moves_while_it_spins},
    {"wakes_find_the_new_owner_though_the_old_one_is_out_of_reach", wakes_find_the_new_owner_though_the_old_one_is_out_of_reach},
    {"a_connect_that_has_begun_moves", a_connect_that_has_begun_moves},
    {"a_multishot_moves", a_multishot_moves},
    {"accept_multi_takes_one_after_the_other", accept_multi_takes_one_after_the_other},
    {"poll_multi_tells_what_is_new", poll_multi_tells_what_is_new},
    {"recv_multi_lends_a_buffer_with_each_event", recv_multi_lends_a_buffer_with_each_event},
    {"without_buffers_recv_multi_ends_with_enobufs", without_buffers_recv_multi_ends_with_enobufs},
    {"a_cancelled_recv_multi_leaves_the_bytes", a_cancelled_recv_multi_leaves_the_bytes},
    {"an_empty_datagram_lends_nothing", an_empty_datagram_lends_nothing},
    {"groups_that_cannot_be_are_refused", groups_that_cannot_be_are_refused},
    {"what_is_lent_is_an_option", what_is_lent_is_an_option},
    {0},
};
// clang-format on

int
main(int argc, char **argv)
{
    return unit_main("uring", tests, argc, argv);
}
