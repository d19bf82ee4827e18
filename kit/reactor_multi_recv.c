/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_multi_recv.c - R10: one recv, many buffers full of bytes: what
 * comes, how it ends, and that a cancel takes nothing along.
 */

#include "multi.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SIZE = 100, // of a buffer
    COUNT = 8,
    KEPT = 3, // buffers that are out while more comes
    SENDS = 1000,
    RACED = 20000, // bytes that race with cancels
    ORDERED = 1000,
    SMALL = 16, // a buffer smaller than some datagrams
};

/* --- bytes --- */

/* A buffer that is out, and what it is to have in it still. */
struct recv_kept {
    const char *bytes;
    char copy[SIZE];
    int buffer, length;
};

static void
recv_keep(struct recv_kept *kept, struct kit_lent *l, const struct kit_told *t)
{
    kept->bytes = kit_lent_take(l, t);
    kept->buffer = t->buffer;
    kept->length = t->res;
    memcpy(kept->copy, kept->bytes, (size_t)t->res);
}

static void
recv_give_back(struct recv_kept *kept, struct kit_lent *l)
{
    if (kept->length == 0)
        return;
    KIT_EQ(memcmp(kept->bytes, kept->copy, (size_t)kept->length), 0,
           "difference between the bytes of buffer %d when it is returned and "
           "when it was lent",
           kept->buffer);
    kit_lent_return(l, kept->buffer);
    kept->length = 0;
}

static void
recv_stream(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct kit_lent l = kit_lend(r, 0, SIZE, COUNT);
    struct recv_kept kept[KEPT] = {{0}};
    struct kit_count c = {0};
    struct kit_multi m;
    unsigned turn = 0;
    int fds[2];

    kit_tcp_pair(fds);
    m = kit_multi_of(r, PONS_OP_RECV_MULTI, fds[0], 0);
    for (unsigned i = 0; i < SENDS; i++) {
        kit_count_send(&c, fds[1], 1 + i * 7 % (3 * SIZE));
        while (c.told < c.sent) {
            struct recv_kept *next = &kept[turn++ % KEPT];
            struct kit_told t;

            recv_give_back(next, &l);
            t = kit_multi_succeeds(&m);
            recv_keep(next, &l, &t);
            kit_count_check(&c, next->bytes, next->length);
        }
    }
    for (int i = 0; i < KEPT; i++)
        recv_give_back(&kept[i], &l);
    kit_quiet(r);
    kit_multi_arm(&m);
    kit_multi_cancel(&m);
    kit_multi_ends(&m, -ECANCELED);
    kit_close_pair(r, fds);
    kit_close(r);
    kit_lent_free(&l);
}

/* --- its end --- */

static void
recv_end(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct kit_lent l = kit_lend(r, 0, SIZE, COUNT);
    struct kit_multi m;
    struct kit_told t;
    int fds[2];

    for (int late = 0; late < 2; late++) {
        kit_tcp_pair(fds);
        m = kit_multi_of(r, PONS_OP_RECV_MULTI, fds[0], 0);
        if (late)
            kit_multi_arm(&m);
        kit_say(fds[1], "bye");
        KIT_SYS(shutdown(fds[1], SHUT_WR));
        t = kit_multi_succeeds(&m);
        KIT_EQ(t.res, 3, "bytes before the end of a stream");
        kit_lent_take(&l, &t);
        kit_multi_ends(&m, 0);
        kit_multi_ends(&m, 0); // submitted again
        kit_quiet(r);
        kit_lent_return_all(&l);
        kit_close_pair(r, fds);
    }
    kit_close(r);
    kit_lent_free(&l);
}

static void
recv_reset(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct kit_lent l = kit_lend(r, 0, SIZE, COUNT);
    const struct linger at_once = {.l_onoff = 1};
    struct kit_multi m;
    int fds[2];

    kit_tcp_pair(fds);
    m = kit_multi_of(r, PONS_OP_RECV_MULTI, fds[0], 0);
    kit_multi_arm(&m);
    kit_quiet(r);
    KIT_SYS(
        setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
    close(fds[1]);
    kit_multi_ends(&m, -ECONNRESET);
    kit_quiet(r);
    kit_forget(r, fds[0]);
    kit_close(r);
    kit_lent_free(&l);
}

/* --- cancel --- */

struct recv_race {
    struct kit_count count;
    int fd; // the writer's
};

static void *
recv_race_write(void *arg)
{
    struct recv_race *race = arg;

    while (race->count.sent < RACED)
        kit_count_send(&race->count, race->fd, 1 + race->count.sent % 7);
    return NULL;
}

/* What comes until the op has ended. */
static void
recv_until_end(struct kit_multi *m, struct kit_lent *l, struct kit_count *c)
{
    while (m->pending) {
        struct kit_told t = kit_told_next(m->r);

        if (t.res > 0)
            kit_count_take(c, l, &t);
        else
            KIT_WANT(t.res == -ECANCELED || t.res == -ENOBUFS,
                     "a cancelled recv: wanted -ECANCELED, found %d", t.res);
    }
}

/* `told` is counted here, `sent` by the writer. */
static struct kit_count
recv_race_rounds(struct kit_multi *m, struct kit_lent *l)
{
    struct kit_count c = {0};

    for (unsigned round = 0; c.told < RACED; round++) {
        kit_multi_arm(m);
        if (round % 4 == 0) {
            struct kit_told t = kit_multi_succeeds(m);

            kit_count_take(&c, l, &t);
        } else if (round % 4 == 1) {
            sched_yield();
        }
        kit_multi_cancel(m);
        recv_until_end(m, l, &c);
    }
    return c;
}

static void
recv_cancel_races(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct kit_lent l = kit_lend(r, 0, SIZE, COUNT);
    struct recv_race race = {{0}, -1};
    struct kit_count c;
    struct kit_multi m;
    pthread_t writer;
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    race.fd = fds[1];
    m = kit_multi_of(r, PONS_OP_RECV_MULTI, fds[0], 0);
    KIT_THREAD(pthread_create(&writer, NULL, recv_race_write, &race));
    c = recv_race_rounds(&m, &l);
    pthread_join(writer, NULL);
    c.sent = race.count.sent;
    kit_count_rest(&c, fds[0]);
    kit_close_pair(r, fds);
    kit_close(r);
    kit_lent_free(&l);
}

/* A few bytes and a cancel, the one first or the other; what no event told is
 * there. */
static void
recv_cancel_in_order(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct kit_lent l = kit_lend(r, 0, SIZE, COUNT);
    struct kit_count c = {0};
    struct kit_multi m;
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    m = kit_multi_of(r, PONS_OP_RECV_MULTI, fds[0], 0);
    for (int i = 0; i < ORDERED; i++) {
        kit_multi_arm(&m);
        if (i % 2 == 0)
            kit_quiet(r); // it waits
        if (i % 4 < 2)
            kit_multi_cancel(&m);
        kit_count_send(&c, fds[1], 3);
        kit_multi_cancel(&m);
        recv_until_end(&m, &l, &c);
        kit_count_rest(&c, fds[0]);
    }
    kit_quiet(r);
    kit_close_pair(r, fds);
    kit_close(r);
    kit_lent_free(&l);
}

/* --- datagrams --- */

static void
recv_datagram(struct kit_multi *m, struct kit_lent *l, const char *wanted)
{
    struct kit_told t = kit_multi_succeeds(m);
    const char *bytes = kit_lent_take(l, &t);

    KIT_EQ(t.res, strlen(wanted), "bytes of a datagram");
    KIT_EQ(memcmp(bytes, wanted, strlen(wanted)), 0,
           "difference to the datagram that was sent");
    kit_lent_return(l, t.buffer);
}

/* One longer than a buffer is cut, and its rest is in no other. */
static void
recv_datagrams_of(struct pons_reactor *r, struct kit_lent *l, const int fds[2])
{
    struct kit_multi m = kit_multi_of(r, PONS_OP_RECV_MULTI, fds[0], 0);

    for (int late = 0; late < 2; late++) {
        if (late)
            kit_multi_arm(&m);
        kit_say(fds[1], "abc");
        kit_say(fds[1], "d");
        kit_say(fds[1], "one longer than a buffer");
        recv_datagram(&m, l, "abc");
        recv_datagram(&m, l, "d");
        recv_datagram(&m, l, "one longer than ");
        KIT_EQ(send(fds[1], "", 0, 0), 0, "send of an empty datagram");
        kit_say(fds[1], "behind");
        kit_multi_ends(&m, 0);
        recv_datagram(&m, l, "behind");
    }
    kit_multi_stop(&m);
}

static void
recv_datagrams(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct kit_lent l = kit_lend(r, 0, SMALL, COUNT);
    struct sockaddr_in address;
    int fds[2];

    kit_unix_pair(fds, SOCK_DGRAM);
    recv_datagrams_of(r, &l, fds);
    kit_close_pair(r, fds);
    for (int i = 0; i < 2; i++)
        fds[i] = KIT_SYS(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    kit_bind(fds[0], &address);
    kit_connect(fds[1], &address);
    recv_datagrams_of(r, &l, fds);
    kit_close_pair(r, fds);
    kit_close(r);
    kit_lent_free(&l);
}

/* --- what is refused --- */

static void
recv_refused(struct kit *k)
{
    static const int flags[] = {MSG_PEEK, MSG_OOB, MSG_ERRQUEUE, MSG_DONTWAIT,
                                MSG_WAITALL};
    struct pons_reactor *r = kit_open(k);
    struct kit_multi m;
    struct kit_lent l;
    int fds[2];
    char text[4];

    kit_unix_pair(fds, SOCK_STREAM);
    kit_say(fds[1], "abc");
    m = kit_multi_of(r, PONS_OP_RECV_MULTI, fds[0], 0);
    kit_multi_ends(&m, -EINVAL); // nothing is lent yet
    l = kit_lend(r, 1, SIZE, COUNT);
    kit_multi_ends(&m, -EINVAL);
    m.how.buffer_group = UINT16_MAX;
    kit_multi_ends(&m, -EINVAL);
    m.how.buffer_group = 1;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        m.how.op_flags = (uint32_t)flags[i];
        kit_multi_ends(&m, -EINVAL);
    }
    KIT_EQ(recv(fds[0], text, sizeof text, 0), 3,
           "bytes that recvs left that were refused");
    m.how.op_flags = 0;
    m.how.fd = -1;
    kit_multi_ends(&m, -EBADF);
    m.how.fd = kit_file();
    kit_multi_ends(&m, -ENOTSOCK);
    kit_quiet(r);
    close(m.how.fd);
    kit_close_pair(r, fds);
    kit_close(r);
    kit_lent_free(&l);
}

#define NEEDS (KIT_IO | KIT_RECV_MULTI)

const struct kit_test kit_multi_recv_tests[] = {
    {"R10", "bytes come in order, in buffers that are lent once", NEEDS,
     KIT_MULTI_ON, recv_stream},
    {"R10", "the end of a stream is the last event of a recv", NEEDS,
     KIT_MULTI_ON, recv_end},
    {"R10", "a reset is the last event of a recv", NEEDS, KIT_MULTI_ON,
     recv_reset},
    {"R10", "no byte is lost when cancels of a recv race with data", NEEDS,
     KIT_MULTI_ON, recv_cancel_races},
    {"R10",
     "no byte is lost when a cancel of a recv comes just before or after",
     NEEDS, KIT_MULTI_ON, recv_cancel_in_order},
    {"R10", "a recv tells one datagram at a time, and ends with an empty one",
     NEEDS, KIT_MULTI_ON, recv_datagrams},
    {"R10", "a recv that cannot be is refused and takes nothing", NEEDS,
     KIT_MULTI_ON, recv_refused},
    {0},
};
