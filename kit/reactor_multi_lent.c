/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_multi_lent.c - R10: the buffers of RECV_MULTI. That none is left
 * is flow control; and they are taken when there are bytes, not before.
 */

#include "multi.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SIZE = 4, // of a buffer
    COUNT = 2,
    SENT = 12, // more than there is room for
    ROUNDS = 1000,
    IDLE = 64,
    TIMES = 20,
    GROUPS = 4,
    CORE_SIZE = 16384, // what the core lends where the engine has no wish
    CORE_COUNT = 64,
    CORE_AHEAD = 16,
};

static int
lent_unread(int fd)
{
    int n;

    KIT_SYS(ioctl(fd, FIONREAD, &n));
    return n;
}

/* --- none is left --- */

/* Takes what comes until all buffers are out, and -ENOBUFS has said so. */
static void
lent_until_none(struct kit_multi *m, struct kit_lent *l, struct kit_count *c)
{
    struct kit_told t;

    while (t = kit_multi_next(m), t.res != -ENOBUFS) {
        KIT_WANT(t.res > 0,
                 "a recv with no buffer left: wanted -ENOBUFS, found %d",
                 t.res);
        kit_count_check(c, kit_lent_take(l, &t), t.res);
    }
    KIT_EQ(m->pending, 0, "whether a recv is pending after -ENOBUFS");
    KIT_EQ(l->count_out, l->buffers.count,
           "buffers that are out when -ENOBUFS says that none is left");
}

static void
lent_in_mid_stream(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct kit_lent l = kit_lend(r, 0, SIZE, COUNT);
    struct kit_count c = {0};
    struct kit_multi m;
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    m = kit_multi_of(r, PONS_OP_RECV_MULTI, fds[0], 0);
    for (int late = 0; late < 2; late++) {
        if (late)
            kit_multi_arm(&m);
        kit_count_send(&c, fds[1], SENT);
        while (c.sent - c.told > SIZE * COUNT) {
            lent_until_none(&m, &l, &c);
            KIT_EQ(lent_unread(fds[0]), c.sent - c.told,
                   "bytes left after -ENOBUFS, of those not told");
            kit_multi_ends(&m, -ENOBUFS); // submitted again
            kit_lent_return_all(&l);
        }
        while (c.told < c.sent) {
            struct kit_told t = kit_multi_next(&m);

            if (t.res != -ENOBUFS) // they were out when it was made
                kit_count_take(&c, &l, &t);
        }
    }
    kit_multi_stop(&m);
    kit_close_pair(r, fds);
    kit_close(r);
    kit_lent_free(&l);
}

static void
lent_at_once(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct kit_lent l = kit_lend(r, 0, SIZE, COUNT);
    struct kit_count c = {0}, other = {0};
    struct kit_multi m;
    struct kit_told t;
    int fds[2], others[2];

    kit_unix_pair(fds, SOCK_STREAM);
    kit_unix_pair(others, SOCK_STREAM);
    m = kit_multi_of(r, PONS_OP_RECV_MULTI, fds[0], 0);
    kit_count_send(&c, fds[1], SENT);
    lent_until_none(&m, &l, &c);
    kit_count_send(&other, others[1], SIZE);
    m.how.fd = others[0];
    kit_multi_ends(&m, -ENOBUFS);
    KIT_EQ(lent_unread(others[0]), SIZE, "bytes left after -ENOBUFS");
    kit_quiet(r);
    kit_lent_return_all(&l);
    t = kit_multi_succeeds(&m);
    kit_count_take(&other, &l, &t);
    kit_multi_stop(&m);
    kit_count_rest(&c, fds[0]);
    kit_close_pair(r, fds);
    kit_close_pair(r, others);
    kit_close(r);
    kit_lent_free(&l);
}

/* One of two is out at a time, so there is always one. */
static void
lent_round_and_round(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct kit_lent l = kit_lend(r, 0, SIZE, COUNT);
    struct kit_count c = {0};
    struct kit_multi m;
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    m = kit_multi_of(r, PONS_OP_RECV_MULTI, fds[0], 0);
    for (int i = 0; i < ROUNDS; i++) {
        kit_count_send(&c, fds[1], 1 + (unsigned)i % SIZE);
        while (c.told < c.sent) {
            struct kit_told t = kit_multi_succeeds(&m);

            kit_count_take(&c, &l, &t);
        }
    }
    kit_multi_stop(&m);
    kit_close_pair(r, fds);
    kit_close(r);
    kit_lent_free(&l);
}

/* --- not before there are bytes --- */

struct lent_idle {
    struct kit_lent lent;
    struct kit_multi m[IDLE];
    char told[IDLE]; // it has had bytes, and -ENOBUFS may be next
    int fds[IDLE][2];
};

/* Bytes at number `i`, which gets its event. */
static void
lent_tell(struct lent_idle *l, int i)
{
    struct kit_told t;

    kit_say(l->fds[i][1], "abc");
    l->told[i] = 1;
    do {
        t = kit_told_next(l->lent.r);
        KIT_WANT(t.res > 0 || (t.res == -ENOBUFS && l->told[t.of - l->m]),
                 "recv %d, of which bytes come to %d only: found %d",
                 (int)(t.of - l->m), i, t.res);
    } while (t.res < 0);
    KIT_EQ(t.of - l->m, i, "which recv is told of bytes");
    kit_lent_take(&l->lent, &t);
}

static void
lent_stop(struct lent_idle *l)
{
    for (int i = 0; i < IDLE; i++)
        kit_multi_cancel(&l->m[i]);
    for (int i = 0; i < IDLE; i++) {
        while (l->m[i].pending)
            (void)kit_told_next(l->lent.r);
        kit_close_pair(l->lent.r, l->fds[i]);
    }
}

static void
lent_to_nobody_idle(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct lent_idle l = {.lent = kit_lend(r, 0, SIZE, COUNT)};

    for (int i = 0; i < IDLE; i++) {
        kit_unix_pair(l.fds[i], SOCK_STREAM);
        l.m[i] = kit_multi_of(r, PONS_OP_RECV_MULTI, l.fds[i][0], 0);
        KIT_EQ(kit_multi_arm(&l.m[i]), 1, "whether recv %d of %d waits", i,
               IDLE);
    }
    kit_quiet(r);
    for (int i = 0; i < IDLE; i += IDLE / 4) {
        lent_tell(&l, i);
        lent_tell(&l, i + 1);
        kit_lent_return_all(&l.lent);
    }
    lent_stop(&l);
    kit_close(r);
    kit_lent_free(&l.lent);
}

/* --- LEND and RETURN --- */

static void
lent_lend_says(struct pons_reactor *r, void *base, unsigned size,
               unsigned count, int wanted)
{
    struct pons_buffers b = {
        .base = base, .size = size, .count = count, .group = 5};

    kit_check_result(r->ops->control(r, PONS_CONTROL_LEND, &b), wanted,
                     "LEND of %u buffers of %u bytes at %s", count, size,
                     base != NULL ? "an address" : "NULL");
}

static void
lent_lend_refused(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct kit_lent l = kit_lend(r, 0, SIZE, COUNT);

    lent_lend_says(r, NULL, SIZE, COUNT, -EINVAL);
    lent_lend_says(r, l.out, 0, COUNT, -EINVAL);
    lent_lend_says(r, l.out, SIZE, 0, -EINVAL);
    lent_lend_says(r, l.out, SIZE, 3, -EINVAL);
    lent_lend_says(r, l.out, SIZE, 2 * PONS_BUFFERS_MAX, -EINVAL);
    kit_check_result(r->ops->control(r, PONS_CONTROL_LEND, &l.buffers), -EEXIST,
                     "LEND of a group that is there");
    kit_close(r);
    kit_lent_free(&l);
}

static void
lent_return_refused(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct kit_lent l;
    struct kit_multi m;
    struct kit_told t;
    int fds[2];

    l = kit_lend(r, 1, SIZE, COUNT);
    for (unsigned i = 0; i <= COUNT; i++)
        kit_check_result(kit_lent_try_return(r, 1, i), -EINVAL,
                         "RETURN of buffer %u of %d, which was not lent", i,
                         COUNT);
    kit_check_result(kit_lent_try_return(r, 0, 0), -EINVAL,
                     "RETURN to a group that is not there");
    kit_check_result(kit_lent_try_return(r, UINT16_MAX, 0), -EINVAL,
                     "RETURN to a group that is not there");
    kit_unix_pair(fds, SOCK_STREAM);
    kit_say(fds[1], "abc");
    m = kit_multi_of(r, PONS_OP_RECV_MULTI, fds[0], 0);
    m.how.buffer_group = 1;
    t = kit_multi_succeeds(&m);
    kit_lent_take(&l, &t);
    kit_check_result(kit_lent_try_return(r, 1, t.buffer == 0), -EINVAL,
                     "RETURN of the one that was not lent");
    kit_lent_return(&l, t.buffer);
    kit_check_result(kit_lent_try_return(r, 1, (unsigned)t.buffer), -EINVAL,
                     "RETURN of a buffer a second time");
    kit_multi_stop(&m);
    kit_close_pair(r, fds);
    kit_close(r);
    kit_lent_free(&l);
}

/* A group as the engine asks for it, or where it does not as the core has it:
 * one is lent and comes back. */
static void
lent_as_asked(struct kit *k)
{
    struct pons_buffers b = {
        .size = CORE_SIZE, .count = CORE_COUNT, .ahead = CORE_AHEAD};
    struct pons_reactor *r = kit_open(k);
    struct kit_lent l;
    struct kit_multi m;
    struct kit_told t;
    int fds[2], err = r->ops->control(r, PONS_CONTROL_LENDING, &b);

    if (err != -ENOTSUP)
        kit_check_result(err, 0, "LENDING");
    KIT_WANT(b.ahead > 0, "LENDING: wanted to be let ahead, found 0");
    l = kit_lend(r, 0, b.size, b.count);
    kit_unix_pair(fds, SOCK_STREAM);
    kit_say(fds[1], "a");
    m = kit_multi_of(r, PONS_OP_RECV_MULTI, fds[0], 0);
    kit_multi_arm(&m);
    t = kit_multi_succeeds(&m);
    kit_lent_take(&l, &t);
    kit_lent_return(&l, t.buffer);
    kit_multi_stop(&m);
    kit_close_pair(r, fds);
    kit_close(r);
    kit_lent_free(&l);
}

/* Groups do not know of each other. */
static void
lent_of_groups(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct kit_lent l[GROUPS];
    struct kit_multi m[GROUPS];
    struct kit_count c[GROUPS] = {{0}};
    int fds[GROUPS][2];

    for (unsigned i = 0; i < GROUPS; i++) {
        kit_unix_pair(fds[i], SOCK_STREAM);
        l[i] = kit_lend(r, i, SIZE, 1u << i);
        m[i] = kit_multi_of(r, PONS_OP_RECV_MULTI, fds[i][0], 0);
        m[i].how.buffer_group = (uint16_t)i;
        kit_count_send(&c[i], fds[i][1], SIZE * (l[i].buffers.count + 1));
        lent_until_none(&m[i], &l[i], &c[i]);
    }
    for (int i = 0; i < GROUPS; i++) {
        kit_count_rest(&c[i], fds[i][0]);
        kit_lent_return_all(&l[i]);
        kit_close_pair(r, fds[i]);
    }
    kit_close(r);
    for (int i = 0; i < GROUPS; i++)
        kit_lent_free(&l[i]);
}

/* --- close --- */

/* Some are out when it is closed. */
static void
lent_and_close(struct kit *k, unsigned count)
{
    struct pons_reactor *r = kit_open(k);
    struct kit_lent l = kit_lend(r, 0, SIZE, count);
    struct kit_multi m;
    struct kit_told t;
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    m = kit_multi_of(r, PONS_OP_RECV_MULTI, fds[0], 0);
    kit_multi_arm(&m);
    kit_say(fds[1], "abc");
    t = kit_multi_succeeds(&m);
    kit_lent_take(&l, &t);
    kit_multi_stop(&m);
    kit_close_pair(r, fds);
    kit_close(r);
    kit_lent_free(&l);
}

static void
lent_leaves_nothing(struct kit *k)
{
    long pieces = kit_host_pieces();
    int descriptors;

    lent_and_close(k, COUNT); // what is opened once for the process is allowed
    descriptors = kit_descriptors();
    for (unsigned i = 0; i < TIMES; i++)
        lent_and_close(k, COUNT << i % 8);
    KIT_EQ(kit_host_pieces(), pieces,
           "pieces of the host's memory that are kept after close");
    KIT_EQ(kit_descriptors(), descriptors,
           "descriptors that are open after %d times open, lend and close",
           TIMES);
}

#define NEEDS (KIT_IO | KIT_RECV_MULTI)

const struct kit_test kit_multi_lent_tests[] = {
    {"R10", "ENOBUFS in mid-stream is flow control", NEEDS, KIT_MULTI_ON,
     lent_in_mid_stream},
    {"R10", "ENOBUFS of a recv that begins is flow control", NEEDS,
     KIT_MULTI_ON, lent_at_once},
    {"R10", "two buffers are lent a thousand times", NEEDS, KIT_MULTI_ON,
     lent_round_and_round},
    {"R10", "who has no bytes has no buffer", NEEDS, KIT_MULTI_ON,
     lent_to_nobody_idle},
    {"R10", "what cannot be lent is refused", NEEDS, KIT_MULTI_ON,
     lent_lend_refused},
    {"R10", "what the engine asks to lend it takes", NEEDS, KIT_MULTI_ON,
     lent_as_asked},
    {"R10", "what was not lent cannot be returned", NEEDS, KIT_MULTI_ON,
     lent_return_refused},
    {"R10", "each group lends its own buffers", NEEDS, KIT_MULTI_ON,
     lent_of_groups},
    {"R10", "close leaves nothing of what was lent", NEEDS, KIT_MULTI_ON,
     lent_leaves_nothing},
    {0},
};
