/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_multi.c - R10: multishot ops among others: many at once, without
 * end, in small queues, with a new owner, in a forked child.
 */

#include "multi.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/atomic.h"

enum {
    SIZE = 64, // of a buffer
    COUNT = 16,
    PAIRS = 50,
    AT_ONCE = 16, // events
    ROUNDS = 20,
    PATIENCE = 20000, // events of one op, while another is to be told
    TURNS = 200,
    HANDS = 2,
    EVENTS = 1000,
    EXTRA = 7, // what room that poll must not use is filled with
};

/* --- more than there is room for --- */

struct multi_crowd {
    struct kit_lent lent;
    struct kit_multi m[PAIRS];
    struct kit_count count[PAIRS];
    int fds[PAIRS][2];
};

static void
multi_crowd_open(struct multi_crowd *w, struct pons_reactor *r)
{
    *w = (struct multi_crowd){.lent = kit_lend(r, 0, SIZE, COUNT)};
    for (int i = 0; i < PAIRS; i++) {
        kit_unix_pair(w->fds[i], SOCK_STREAM);
        w->m[i] = kit_multi_of(r, PONS_OP_RECV_MULTI, w->fds[i][0], 0);
    }
}

static void
multi_crowd_close(struct multi_crowd *w)
{
    for (int i = 0; i < PAIRS; i++) {
        kit_multi_stop(&w->m[i]);
        kit_close_pair(w->lent.r, w->fds[i]);
    }
}

/* What one poll tells; buffers go back at once. */
static void
multi_crowd_poll(struct multi_crowd *w, unsigned cap)
{
    struct pons_event ev[AT_ONCE + 1];
    struct kit_told t;
    int n;

    memset(ev, EXTRA, sizeof ev);
    n = w->lent.r->ops->poll(w->lent.r, ev, cap, PONS_NEVER);
    KIT_WANT(n >= 0 && n <= (int)cap, "poll with room for %u events: found %d",
             cap, n);
    KIT_EQ(((char *)&ev[cap])[0], EXTRA, "what stands behind that room");
    for (int i = 0; i < n; i++) {
        t = kit_told_by(&ev[i]);
        if (t.res != -ENOBUFS)
            kit_count_take(&w->count[t.of - w->m], &w->lent, &t);
    }
}

/* Every socket has bytes for several events. */
static void
multi_crowd_round(struct multi_crowd *w, unsigned cap)
{
    for (int i = 0; i < PAIRS; i++) {
        kit_multi_arm(&w->m[i]);
        kit_count_send(&w->count[i], w->fds[i][1], 2 * SIZE + 1);
    }
    for (int i = 0; i < PAIRS; i++)
        while (w->count[i].told < w->count[i].sent) {
            kit_multi_arm(&w->m[i]);
            multi_crowd_poll(w, cap);
        }
}

static void
multi_crowded(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct multi_crowd *w = malloc(sizeof *w);

    KIT_WANT(w != NULL, "the kit itself has no memory");
    multi_crowd_open(w, r);
    for (unsigned i = 0; i < ROUNDS; i++)
        multi_crowd_round(w, 1 + i % AT_ONCE);
    multi_crowd_close(w);
    kit_close(r);
    kit_lent_free(&w->lent);
    free(w);
}

/* --- without end --- */

struct multi_flood {
    struct kit_multi m; // of a socket that is full, always
    struct kit_lent lent;
    int fds[2];
};

static void
multi_flood_open(struct multi_flood *f, struct pons_reactor *r)
{
    f->lent = kit_lend(r, 0, SIZE, COUNT);
    kit_unix_pair(f->fds, SOCK_STREAM);
    f->m = kit_multi_of(r, PONS_OP_RECV_MULTI, f->fds[0], 0);
}

/* The next event: NULL, the flood's; or whose else it is. */
static struct pons_op *
multi_flood_next(struct multi_flood *f)
{
    struct kit_told t;

    kit_fill(f->fds[1]);
    kit_multi_arm(&f->m);
    t = kit_told_next(f->lent.r);
    if (t.of != &f->m)
        return t.op;
    if (t.res > 0) {
        kit_lent_take(&f->lent, &t);
        kit_lent_return(&f->lent, t.buffer);
    }
    return NULL;
}

static void
multi_flood_until(struct multi_flood *f, const struct pons_op *op,
                  const char *what)
{
    for (unsigned n = 0; multi_flood_next(f) != op; n++)
        KIT_WANT(n < PATIENCE,
                 "%s beside a recv whose data has no end: wanted its event, "
                 "found %u of that recv before",
                 what, n);
}

static void
multi_endless(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct multi_flood f;
    struct pons_op op;
    int fds[2];
    char c;

    multi_flood_open(&f, r);
    kit_unix_pair(fds, SOCK_STREAM);
    for (int i = 0; i < ROUNDS; i++) {
        op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
        kit_pends(r, &op);
        multi_flood_until(&f, NULL, "nothing");
        kit_say(fds[1], "x");
        multi_flood_until(&f, &op, "a RECV");
    }
    kit_close_pair(r, fds);
    kit_multi_arm(&f.m);
    kit_multi_cancel(&f.m);
    for (unsigned n = 0; f.m.pending; n++) {
        struct kit_told t = kit_told_next(r);

        KIT_WANT(n < PATIENCE, "a cancelled recv whose data has no end: wanted "
                               "-ECANCELED, found no end of it");
        if (t.buffer >= 0) {
            kit_lent_take(&f.lent, &t);
            kit_lent_return(&f.lent, t.buffer);
        }
    }
    kit_close_pair(r, f.fds);
    kit_close(r);
    kit_lent_free(&f.lent);
}

/* A RECV of each poll has ended, and there is room for one event. */
static void
multi_beside_busy(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct kit_lent l = kit_lend(r, 0, SIZE, COUNT);
    struct kit_count c = {0};
    struct kit_multi m;
    struct pons_op op;
    int fds[2], busy[2];
    char byte;

    kit_unix_pair(fds, SOCK_STREAM);
    kit_unix_pair(busy, SOCK_STREAM);
    m = kit_multi_of(r, PONS_OP_RECV_MULTI, fds[0], 0);
    kit_multi_arm(&m);
    kit_quiet(r);
    kit_count_send(&c, fds[1], SIZE);
    for (int n = 0; c.told < c.sent; n++) {
        struct kit_told t;

        KIT_WANT(n < PATIENCE,
                 "a recv of many events beside one that is always ready: "
                 "wanted its event, found %d of the other before",
                 n);
        kit_multi_arm(&m);
        op = kit_op(PONS_OP_RECV, busy[0], &byte, 1);
        kit_pends(r, &op);
        kit_say(busy[1], "x");
        while (t = kit_told_next(r), t.of != NULL)
            kit_count_take(&c, &l, &t);
        kit_check_result(t.res, 1, "RECV beside a recv of many events");
    }
    kit_multi_stop(&m);
    kit_close_pair(r, fds);
    kit_close_pair(r, busy);
    kit_close(r);
    kit_lent_free(&l);
}

/* --- in small queues --- */

static void
multi_many(struct pons_reactor *r, const char *how)
{
    struct kit_lent l = kit_lend(r, 0, 1, COUNT);
    struct kit_count c = {0};
    struct kit_multi m;
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    m = kit_multi_of(r, PONS_OP_RECV_MULTI, fds[0], 0);
    kit_multi_arm(&m);
    kit_count_send(&c, fds[1], EVENTS / 2);
    kit_count_send(&c, fds[1], EVENTS / 2);
    while (c.told < c.sent) {
        struct kit_told t = kit_multi_next(&m);

        KIT_WANT(t.res == 1 || t.res == -ENOBUFS,
                 "%s, event %u of %d: wanted 1 byte, found %d", how, c.told,
                 EVENTS, t.res);
        if (t.res == 1)
            kit_count_take(&c, &l, &t);
    }
    kit_multi_stop(&m);
    kit_close_pair(r, fds);
    kit_close(r);
    kit_lent_free(&l);
}

static void
multi_configured(struct kit *k)
{
    kit_each_configuration(k, multi_many);
}

/* --- at another owner --- */

struct multi_relay {
    struct pons_reactor *r;
    struct kit_lent lent;
    struct kit_multi recv, poll;
    struct kit_count count;
    int fds[2];    // of `recv`
    int others[2]; // of `poll`
    unsigned turn; // of hand turn % HANDS
};

struct multi_hand {
    struct multi_relay *relay;
    unsigned number;
};

/* Both are pending since the other hand's turn, or before. */
static void
multi_takes_turn(struct multi_relay *l)
{
    int told = 0;

    kit_check_result(l->r->ops->bind(l->r), 0, "bind by the other hand");
    kit_count_send(&l->count, l->fds[1], SIZE + 1);
    kit_say(l->others[1], "x");
    while (!told || l->count.told < l->count.sent) {
        struct kit_told t = kit_told_next(l->r);

        KIT_WANT(t.res > 0,
                 "after the other hand's turn: wanted a success, "
                 "found %d",
                 t.res);
        if (t.of == &l->recv)
            kit_count_take(&l->count, &l->lent, &t);
        else
            told |= t.res & POLLIN;
        kit_multi_arm(t.of);
    }
    kit_drain(l->others[0]);
}

static void *
multi_hand(void *arg)
{
    struct multi_hand *h = arg;
    struct multi_relay *l = h->relay;

    for (unsigned t = h->number; t < TURNS; t += HANDS) {
        /* Pairs with the release below: the reactor comes with it. */
        while (poni_load_acquire(&l->turn) != t)
            sched_yield();
        multi_takes_turn(l);
        poni_store_release(&l->turn, t + 1);
    }
    return NULL;
}

static void
multi_hands_over(struct kit *k)
{
    struct multi_relay l = {.r = kit_open(k)};
    struct multi_hand hands[HANDS];
    pthread_t threads[HANDS];

    l.lent = kit_lend(l.r, 0, SIZE, COUNT);
    kit_unix_pair(l.fds, SOCK_STREAM);
    kit_unix_pair(l.others, SOCK_STREAM);
    l.recv = kit_multi_of(l.r, PONS_OP_RECV_MULTI, l.fds[0], 0);
    l.poll = kit_multi_of(l.r, PONS_OP_POLL_MULTI, l.others[0], POLLIN);
    kit_multi_arm(&l.recv);
    kit_multi_arm(&l.poll);
    for (unsigned i = 0; i < HANDS; i++) {
        hands[i] = (struct multi_hand){&l, i};
        KIT_THREAD(pthread_create(&threads[i], NULL, multi_hand, &hands[i]));
    }
    for (int i = 0; i < HANDS; i++)
        pthread_join(threads[i], NULL);
    kit_check_result(l.r->ops->bind(l.r), 0, "bind after the hands are gone");
    kit_multi_stop(&l.poll);
    kit_multi_stop(&l.recv);
    kit_close_pair(l.r, l.fds);
    kit_close_pair(l.r, l.others);
    kit_close(l.r);
    kit_lent_free(&l.lent);
}

/* --- in a child --- */

/* What is kept for good, when there is no reactor. */
static long
multi_pieces(struct kit *k)
{
    kit_close(kit_open(k));
    return kit_host_pieces();
}

/* A buffer is out, and bytes are told in part: the child's copies go, and the
 * parent goes on. */
static void
multi_forked(struct kit *k)
{
    long before = multi_pieces(k);
    struct pons_reactor *r = kit_open(k);
    struct kit_lent l = kit_lend(r, 0, SIZE, COUNT);
    struct kit_count c = {0};
    struct kit_multi m;
    struct kit_told t;
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    m = kit_multi_of(r, PONS_OP_RECV_MULTI, fds[0], 0);
    for (int i = 0; i < ROUNDS; i++) {
        kit_multi_arm(&m);
        kit_count_send(&c, fds[1], 3 * SIZE);
        t = kit_multi_succeeds(&m);
        kit_count_check(&c, kit_lent_take(&l, &t), t.res);
        if (kit_child()) {
            r->ops->forked(r);
            KIT_EQ(kit_host_pieces(), before,
                   "pieces of the host's memory that a child keeps");
            kit_child_ends();
        }
        kit_lent_return(&l, t.buffer);
        while (c.told < c.sent) {
            t = kit_multi_succeeds(&m);
            kit_count_take(&c, &l, &t);
        }
    }
    kit_multi_stop(&m);
    kit_close_pair(r, fds);
    kit_close(r);
    kit_lent_free(&l);
}

const struct kit_test kit_multi_tests[] = {
    {"R10", "what there is no room for stays for the next poll",
     KIT_IO | KIT_RECV_MULTI, KIT_MULTI_ON, multi_crowded},
    {"R10", "data without end keeps nobody waiting", KIT_IO | KIT_RECV_MULTI,
     KIT_MULTI_ON, multi_endless},
    {"R10", "who is always ready keeps no recv of many events waiting",
     KIT_IO | KIT_RECV_MULTI, KIT_MULTI_ON, multi_beside_busy},
    {"R10", "a thousand events, with each option's least and most",
     KIT_IO | KIT_RECV_MULTI | KIT_OPTIONS, KIT_MULTI_ON, multi_configured},
    {"R10", "ops of many events go from hand to hand",
     KIT_IO | KIT_RECV_MULTI | KIT_POLL_MULTI | KIT_MOVES, KIT_MULTI_ON,
     multi_hands_over},
    {"R10", "a forked child disturbs no op of many events",
     KIT_IO | KIT_RECV_MULTI | KIT_FORKED, KIT_MULTI_ON, multi_forked},
    {0},
};
