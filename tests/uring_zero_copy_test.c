/* SPDX-License-Identifier: MIT */
/*
 * tests/uring_zero_copy_test.c - backends/uring_zero_copy.c: which sends lend
 * their buffers, and when those come back.
 *
 * Over loopback the kernel copies what it delivers. What the other side has no
 * room for stays in the sender's buffer: that is how one comes back late.
 */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/atomic.h"
#include "uring_rig.h"

enum {
    BIG = 256 * 1024,   // more than the other side has room for
    NARROW = 16 * 1024, // what it is asked to have
    WIDE = 1024 * 1024, // what the sender's socket is
    LOOKS = 10,         // at what is not to come
    STRICT = 1,         // of `owner`
};

static char big[BIG];

static void
needs_send_zc(const struct pons_reactor *r)
{
    if (!(r->opcodes[0] >> PONS_OP_SEND_ZC & 1))
        SKIP("this kernel has no send without a copy (Linux 6.0)");
}

/* From so many bytes on. */
static struct pons_reactor *
open_from(uint64_t bytes)
{
    struct pons_reactor *r = open_with("zero_copy", bytes);

    needs_send_zc(r);
    return r;
}

static struct pons_op
send_zc(int fd, void *addr, size_t len)
{
    return (struct pons_op){.opcode = PONS_OP_SEND_ZC,
                            .fd = fd,
                            .addr = addr,
                            .len = (uint32_t)len};
}

static void
nothing_ends(struct pons_reactor *r)
{
    struct pons_event ev;

    for (int i = 0; i < LOOKS; i++)
        CHECK_EQ(r->ops->poll(r, &ev, 1, 0), 0);
}

/* The first of two. */
static int
counts(struct pons_reactor *r, struct pons_op *op)
{
    struct pons_event ev = event(r);

    CHECK(ev.op == op);
    CHECK_EQ(ev.flags, PONS_EVENT_MORE);
    return ev.res;
}

static int
lent(struct pons_reactor *r)
{
    return (int)uring_self(r)->zero_copy.lent;
}

static void
tcp_pair(int fds[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int narrow = NARROW, wide = WIDE;
    socklen_t size = sizeof address;

    CHECK_EQ(
        setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &narrow, sizeof narrow), 0);
    CHECK_EQ(bind(listener, (struct sockaddr *)&address, size), 0);
    CHECK_EQ(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    CHECK_EQ(listen(listener, 1), 0);
    fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &wide, sizeof wide), 0);
    CHECK_EQ(connect(fds[0], (struct sockaddr *)&address, size), 0);
    fds[1] = accept(listener, NULL, NULL);
    CHECK(fds[1] >= 0);
    close(listener);
}

static char
byte_at(size_t i)
{
    return (char)(i % 251);
}

static void
fill_big(void)
{
    for (size_t i = 0; i < BIG; i++)
        big[i] = byte_at(i);
}

/* Waits for so many, which are as fill_big() has them. */
static void
takes(int fd, size_t n)
{
    static char bytes[BIG];
    size_t got = 0;

    while (got < n) {
        ssize_t more = recv(fd, bytes + got, n - got, 0);

        CHECK(more > 0);
        got += (size_t)more;
    }
    for (size_t i = 0; i < n; i++)
        CHECK_EQ(bytes[i], byte_at(i));
}

static void
close_pair(int fds[2])
{
    close(fds[0]);
    close(fds[1]);
}

/* --- two steps --- */

static void
comes_back_late(struct pons_reactor *r)
{
    struct pons_op op;
    int fds[2], n;

    fill_big();
    tcp_pair(fds);
    op = send_zc(fds[0], big, BIG);
    pends(r, &op);
    n = counts(r, &op);
    CHECK(n > NARROW);
    CHECK_EQ(lent(r), 1);
    nothing_ends(r);
    r->ops->cancel(r, &op); // there is nothing to cancel
    r->ops->cancel(r, &op);
    CHECK(uring_self(r)->cancels.first == NULL);
    nothing_ends(r);
    takes(fds[1], (size_t)n);
    CHECK_EQ(ends(r, &op), 0);
    nothing_ends(r);
    close_pair(fds);
    r->ops->close(r);
}

static void
a_buffer_comes_back_when_the_other_side_has_it(void)
{
    comes_back_late(open_from(0));
}

static void
so_it_does_to_a_strict_owner(void)
{
    struct pons_reactor *r = open_with("owner", STRICT);

    needs_send_zc(r);
    uring_self(r)->zero_copy.at_least = 0;
    comes_back_late(r);
}

/* pons/stream.h: for as long as TCP does, which can be bounded. */
static void
a_peer_that_takes_nothing_keeps_a_buffer_until_tcp_gives_up(void)
{
    struct pons_reactor *r = open_from(0);
    unsigned most_ms = 1;
    struct pons_op op;
    int fds[2];

    fill_big();
    tcp_pair(fds);
    CHECK_EQ(setsockopt(fds[0], IPPROTO_TCP, TCP_USER_TIMEOUT, &most_ms,
                        sizeof most_ms),
             0);
    op = send_zc(fds[0], big, BIG);
    pends(r, &op);
    CHECK(counts(r, &op) > NARROW);
    CHECK_EQ(ends(r, &op), 0);
    CHECK_EQ(send(fds[0], big, 1, MSG_NOSIGNAL), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    close_pair(fds);
    r->ops->close(r);
}

/* A cancel that the kernel is asked before it has told the count, and answers
 * after. */
static void
a_cancel_on_the_way_changes_nothing(void)
{
    struct pons_reactor *r = open_from(0);
    struct pons_op op;
    int fds[2], n;

    fill_big();
    tcp_pair(fds);
    op = send_zc(fds[0], big, BIG);
    pends(r, &op);
    r->ops->cancel(r, &op);
    n = counts(r, &op);
    nothing_ends(r);
    CHECK(uring_self(r)->later.first == NULL); // it is not asked again
    takes(fds[1], (size_t)n);
    CHECK_EQ(ends(r, &op), 0);
    close_pair(fds);
    r->ops->close(r);
}

/* A look. 1: `op` has counted, for TCP has found a little room. */
static int
has_counted(struct pons_reactor *r, const struct pons_op *op)
{
    struct pons_event ev;

    if (r->ops->poll(r, &ev, 1, 0) == 0)
        return 0;
    CHECK(ev.op == op);
    CHECK_EQ(ev.flags, PONS_EVENT_MORE);
    CHECK(ev.res > 0);
    return 1;
}

/* All that is on its way, so that `op` ends. */
static void
drain(struct pons_reactor *r, struct pons_op *op, int fds[2])
{
    char c[4096];

    CHECK_EQ(shutdown(fds[0], SHUT_WR), 0);
    while (recv(fds[1], c, sizeof c, 0) > 0)
        continue;
    CHECK_EQ(ends(r, op), 0);
    close_pair(fds);
}

/* 0: it did not wait. */
static int
waits_and_is_cancelled(struct pons_reactor *r)
{
    struct pons_event ev;
    struct pons_op op;
    int fds[2], counted = 0;

    tcp_pair(fds);
    while (send(fds[0], big, BIG, MSG_DONTWAIT) > 0)
        continue;
    op = send_zc(fds[0], big, BIG);
    pends(r, &op);
    for (int i = 0; i < LOOKS && !counted; i++)
        counted = has_counted(r, &op);
    if (!counted) {
        r->ops->cancel(r, &op);
        ev = event(r);
        counted = ev.flags == PONS_EVENT_MORE;
    }
    if (counted) {
        drain(r, &op, fds);
        return 0;
    }
    CHECK_EQ(ev.res, -ECANCELED);
    CHECK_EQ(ev.flags, 0);
    close_pair(fds);
    return 1;
}

static void
a_send_without_room_can_be_cancelled(void)
{
    struct pons_reactor *r = open_from(0);

    while (!waits_and_is_cancelled(r))
        continue;
    r->ops->close(r);
}

static void
a_send_that_has_waited_for_room_lends_its_buffer(void)
{
    struct pons_reactor *r = open_from(0);
    struct pons_op op;
    char c[4096];
    int fds[2];

    tcp_pair(fds);
    while (send(fds[0], big, BIG, MSG_DONTWAIT) > 0)
        continue;
    op = send_zc(fds[0], big, BIG);
    pends(r, &op);
    while (!has_counted(r, &op))
        (void)recv(fds[1], c, sizeof c, MSG_DONTWAIT);
    CHECK_EQ(lent(r), 1);
    drain(r, &op, fds);
    r->ops->close(r);
}

static void
an_error_is_one_event(void)
{
    struct pons_reactor *r = open_from(0);
    struct pons_op op;
    int fds[2], n;

    tcp_pair(fds);
    op = send_zc(fds[0], (void *)1, BIG);
    pends(r, &op);
    CHECK_EQ(ends(r, &op), -EFAULT);
    CHECK_EQ(shutdown(fds[0], SHUT_WR), 0);
    op = send_zc(fds[0], big, BIG);
    pends(r, &op);
    CHECK_EQ(ends(r, &op), -EPIPE);
    op = send_zc(-1, big, BIG);
    pends(r, &op);
    CHECK_EQ(ends(r, &op), -EBADF);
    op.op_flags = MSG_DONTWAIT;
    n = r->ops->submit(r, &op);
    CHECK_EQ(n, PONS_SUBMIT_DONE);
    CHECK_EQ(op.res, -EINVAL);
    CHECK_EQ(lent(r), 0);
    close_pair(fds);
    r->ops->close(r);
}

/* --- which sends --- */

/* Sends and takes so many bytes. Whether the buffer was lent. */
static int
is_lent(struct pons_reactor *r, int fds[2], size_t size)
{
    struct pons_op op = send_zc(fds[0], big, size);
    struct pons_event ev;
    int more;

    pends(r, &op);
    ev = event(r);
    CHECK_EQ(ev.res, size);
    more = (ev.flags & PONS_EVENT_MORE) != 0;
    takes(fds[1], size);
    if (more)
        CHECK_EQ(ends(r, &op), 0);
    return more;
}

static void
few_bytes_are_sent_plainly(void)
{
    struct pons_reactor *r = open_from(1000);
    int fds[2];

    fill_big();
    tcp_pair(fds);
    CHECK(!is_lent(r, fds, 999));
    CHECK(is_lent(r, fds, 1000));
    close_pair(fds);
    r->ops->close(r);
}

static void
what_is_copied_is_sent_plainly_for_a_while(void)
{
    struct pons_reactor *r = open_from(1);
    int fds[2], other[2];

    if (!uring_self(r)->can.reports)
        SKIP("this kernel does not say whether it copied (Linux 6.2)");
    fill_big();
    tcp_pair(fds);
    tcp_pair(other);
    for (int round = 0; round < 2; round++) {
        CHECK(is_lent(r, fds, 1000));
        CHECK_EQ(uring_self(r)->zero_copy.copied, 2 * round + 1);
        for (int i = 0; i < 255; i++) {
            CHECK(!is_lent(r, fds, 1000));
            if (i == round) // of another it is not known
                CHECK_EQ(is_lent(r, other, 1000), round == 0);
        }
        uring_self(r)->zero_copy.copied = 2 * (uint64_t)round + 2;
    }
    close_pair(fds);
    close_pair(other);
    r->ops->close(r);
}

static void
always_is_always(void)
{
    struct pons_reactor *r = open_from(0);
    int fds[2];

    fill_big();
    tcp_pair(fds);
    for (int i = 0; i < 5; i++)
        CHECK(is_lent(r, fds, 1));
    close_pair(fds);
    r->ops->close(r);
}

static void
never_is_not_declared(void)
{
    struct pons_reactor *r = open_with("zero_copy", UINT64_C(1) << 31);

    CHECK(!(r->opcodes[0] >> PONS_OP_SEND_ZC & 1));
    r->ops->close(r);
}

/* The kernel refuses; whoever sends does not hear of it. */
static void
a_unix_socket_is_sent_to_plainly(void)
{
    struct pons_reactor *r = open_from(1);
    int fds[2];

    fill_big();
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    for (int i = 0; i < 3; i++)
        CHECK(!is_lent(r, fds, 1000));
    CHECK_EQ(lent(r), 0);
    CHECK_EQ(uring_self(r)->repeats, 1); // and it was not tried again
    close_pair(fds);
    r->ops->close(r);
}

static void
where_no_memory_may_be_locked_a_send_is_a_plain_one(void)
{
    const struct rlimit none = {0, 0};
    struct pons_reactor *r;
    int fds[2];

    if (geteuid() == 0) // whom no limit holds
        CHECK_EQ(setresuid(65534, 65534, 65534), 0);
    r = open_from(1);
    CHECK_EQ(setrlimit(RLIMIT_MEMLOCK, &none), 0); // the ring has its own
    fill_big();
    tcp_pair(fds);
    CHECK(!is_lent(r, fds, 10000));
    CHECK_EQ(lent(r), 0);
    CHECK_EQ(uring_self(r)->repeats, 1);
    close_pair(fds);
    r->ops->close(r);
}

/* --- tiny rings --- */

enum { MANY = 150, SMALL = 500 };

/* Each of MANY has two completions. Every third is cancelled. */
static void
nothing_is_lost(struct pons_reactor *r)
{
    static int fds[MANY][2], count[MANY];
    static struct pons_op ops[MANY];
    int left = MANY;

    needs_send_zc(r);
    uring_self(r)->zero_copy.at_least = 0;
    fill_big();
    for (int i = 0; i < MANY; i++) {
        tcp_pair(fds[i]);
        ops[i] = send_zc(fds[i][0], big, SMALL);
        count[i] = -1;
    }
    for (int i = 0; i < MANY; i++)
        pends(r, &ops[i]);
    for (int i = 0; i < MANY; i += 3)
        r->ops->cancel(r, &ops[i]);
    while (left > 0) {
        struct pons_event ev = event(r);
        int i = (int)(ev.op - ops);

        CHECK(i >= 0 && i < MANY);
        if (ev.flags & PONS_EVENT_MORE) {
            CHECK_EQ(count[i], -1);
            CHECK_EQ(ev.res, SMALL);
            count[i] = ev.res;
            continue;
        }
        CHECK_EQ(ev.res, count[i] == -1 ? -ECANCELED : 0);
        CHECK(count[i] != -1 || i % 3 == 0);
        left--;
    }
    nothing_ends(r);
    for (int i = 0; i < MANY; i++) {
        if (count[i] > 0)
            takes(fds[i][1], SMALL);
        CHECK_EQ(recv(fds[i][1], big, 1, MSG_DONTWAIT), -1);
        close_pair(fds[i]);
    }
    r->ops->close(r);
}

static void
rings_of_2_and_4_entries_lose_nothing(void)
{
    nothing_is_lost(open_with("entries", 2));
    nothing_is_lost(open_with("entries", 4));
}

static void
completions_that_find_no_room_are_not_lost(void)
{
    nothing_is_lost(open_with("cq", 256));
}

/* --- owners --- */

struct old_owner {
    struct pons_reactor *r;
    struct pons_op op;
    int count, has, leave, spins;
    int bed[2];
};

static void *
old_owner(void *arg)
{
    struct old_owner *o = arg;
    char c;

    CHECK_EQ(o->r->ops->bind(o->r), 0);
    pends(o->r, &o->op);
    o->count = counts(o->r, &o->op);
    /* Pairs with the acquire in moves(): the reactor is handed over. */
    poni_store_release(&o->has, 1);
    while (o->spins == 1 && !poni_load_acquire(&o->leave))
        continue;
    while (o->spins == 0 && read(o->bed[0], &c, 1) < 0)
        CHECK_EQ(errno, EINTR);
    return NULL;
}

/* `spins` 2: it ends. */
static void
moves(int spins)
{
    struct old_owner o = {.r = open_from(0), .spins = spins};
    pthread_t thread;
    int fds[2];

    fill_big();
    tcp_pair(fds);
    CHECK_EQ(pipe(o.bed), 0);
    o.op = send_zc(fds[0], big, BIG);
    CHECK_EQ(pthread_create(&thread, NULL, old_owner, &o), 0);
    while (!poni_load_acquire(&o.has))
        sched_yield();
    if (spins == 2)
        pthread_join(thread, NULL);
    CHECK_EQ(o.r->ops->bind(o.r), 0);
    nothing_ends(o.r);
    takes(fds[1], (size_t)o.count);
    CHECK_EQ(ends(o.r, &o.op), 0);
    poni_store_release(&o.leave, 1);
    CHECK_EQ(write(o.bed[1], "x", 1), 1);
    if (spins != 2)
        pthread_join(thread, NULL);
    close_pair(o.bed);
    close_pair(fds);
    o.r->ops->close(o.r);
}

static void
a_buffer_comes_back_to_the_new_owner(void)
{
    for (int spins = 0; spins <= 2; spins++)
        moves(spins);
}

#define TEST(name)  \
    {               \
#name, name \
    }

static const struct unit_test tests[] = {
    TEST(a_buffer_comes_back_when_the_other_side_has_it),
    TEST(so_it_does_to_a_strict_owner),
    TEST(a_peer_that_takes_nothing_keeps_a_buffer_until_tcp_gives_up),
    TEST(a_cancel_on_the_way_changes_nothing),
    TEST(a_send_without_room_can_be_cancelled),
    TEST(a_send_that_has_waited_for_room_lends_its_buffer),
    TEST(an_error_is_one_event),
    TEST(few_bytes_are_sent_plainly),
    TEST(what_is_copied_is_sent_plainly_for_a_while),
    TEST(always_is_always),
    TEST(never_is_not_declared),
    TEST(a_unix_socket_is_sent_to_plainly),
    TEST(where_no_memory_may_be_locked_a_send_is_a_plain_one),
    TEST(rings_of_2_and_4_entries_lose_nothing),
    TEST(completions_that_find_no_room_are_not_lost),
    TEST(a_buffer_comes_back_to_the_new_owner),
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("uring_zero_copy", tests, argc, argv);
}
