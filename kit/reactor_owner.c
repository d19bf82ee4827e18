/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_owner.c - R1: a reactor goes from one thread to another.
 */

#include "kit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/atomic.h"

struct owner {
    struct pons_reactor *r;
    struct pons_op *op;
    int submitted, leave;
};

static void *
owner_submits_and_spins(void *arg)
{
    struct owner *o = arg;

    kit_check_result(o->r->ops->bind(o->r), 0, "bind");
    kit_pends(o->r, o->op);
    /* Pairs with the acquire in owner_spins(): the reactor is handed over. */
    poni_store_release(&o->submitted, 1);
    while (!poni_load_acquire(&o->leave))
        continue;
    return NULL;
}

static void
owner_spins(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op op;
    pthread_t thread;
    char c;
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
    struct owner o = {.r = r, .op = &op};

    KIT_THREAD(pthread_create(&thread, NULL, owner_submits_and_spins, &o));
    while (!poni_load_acquire(&o.submitted))
        continue;
    kit_check_result(r->ops->bind(r), 0, "bind by the new owner");
    kit_say(fds[1], "x");
    kit_awaits(r, &op, 1);
    kit_ends(r, kit_op(PONS_OP_SEND, fds[0], &c, 1), 1);
    /* Pairs with the acquire in owner_submits_and_spins(): carries nothing. */
    poni_store_release(&o.leave, 1);
    pthread_join(thread, NULL);
    kit_close_pair(r, fds);
    kit_close(r);
}

/* --- one that sleeps, or is gone --- */

enum { ASLEEP_OPS = 64 };

struct owner_asleep {
    struct owner o;
    unsigned ops;  // that it submits
    int sleeps_in; // a pipe; what comes ends the sleep
    long naps;     // into which that sleep fell
};

static void *
owner_submits_and_sleeps(void *arg)
{
    struct owner_asleep *a = arg;
    long naps;
    char c;

    kit_check_result(a->o.r->ops->bind(a->o.r), 0, "bind");
    for (unsigned i = 0; i < a->ops; i++)
        kit_pends(a->o.r, &a->o.op[i]);
    naps = kit_naps();
    /* Pairs with the acquire in owner_asleep(): the reactor is handed over. */
    poni_store_release(&a->o.submitted, 1);
    while (read(a->sleeps_in, &c, 1) < 0 && errno == EINTR)
        continue;
    a->naps = kit_naps() - naps;
    return NULL;
}

/* A byte, which ends one of the old owner's ops. */
static void
owner_ends_one(struct pons_reactor *r, int fd)
{
    struct pons_event ev;
    int n;

    kit_say(fd, "x");
    do
        n = r->ops->poll(r, &ev, 1, PONS_NEVER);
    while (n == 0);
    kit_check_result(n, 1, "poll with room for 1 event");
    kit_check_result(ev.res, 1, "a RECV that the old owner has submitted");
}

/* So many ops end at the new owner; how often the old one went to sleep. */
static long
owner_asleep(struct kit *k, unsigned count)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op ops[ASLEEP_OPS];
    pthread_t thread;
    char c;
    int fds[2], bed[2];

    kit_unix_pair(fds, SOCK_STREAM);
    KIT_SYS(pipe2(bed, O_CLOEXEC));
    for (unsigned i = 0; i < count; i++)
        ops[i] = kit_op(PONS_OP_RECV, fds[0], &c, 1);
    struct owner_asleep a = {
        .o = {.r = r, .op = ops}, .ops = count, .sleeps_in = bed[0]};

    KIT_THREAD(pthread_create(&thread, NULL, owner_submits_and_sleeps, &a));
    while (!poni_load_acquire(&a.o.submitted))
        continue;
    kit_check_result(r->ops->bind(r), 0, "bind by the new owner");
    for (unsigned i = 0; i < count; i++)
        owner_ends_one(r, fds[1]);
    kit_say(bed[1], "x");
    pthread_join(thread, NULL);
    close(bed[0]);
    close(bed[1]);
    kit_close_pair(r, fds);
    kit_close(r);
    return a.naps;
}

static void
owner_sleeps(struct kit *k)
{
    (void)owner_asleep(k, 1);
}

/* Some wakes have other reasons. */
static void
owner_sleeps_on(struct kit *k)
{
    long naps = owner_asleep(k, ASLEEP_OPS);

    KIT_WANT(naps < ASLEEP_OPS / 4,
             "the old owner's sleep, while %d of its ops end at the new one: "
             "wanted one sleep, found %ld",
             ASLEEP_OPS, naps);
}

/* --- from hand to hand, with an op that goes along --- */

enum { HANDS = 2, TURNS = 1000 };

struct owner_relay {
    struct pons_reactor *r;
    struct pons_op op; // pending while the reactor is handed over
    int fds[2];
    char byte;
    unsigned turn; // of hand turn % HANDS
};

struct owner_hand {
    struct owner_relay *relay;
    unsigned number;
};

/* Ends the op that the other hand has begun, and begins another. */
static void
owner_takes_turn(struct owner_relay *l)
{
    kit_check_result(l->r->ops->bind(l->r), 0, "bind by the other hand");
    kit_say(l->fds[1], "x");
    kit_awaits(l->r, &l->op, 1);
    kit_ends(l->r, kit_op(PONS_OP_SEND, l->fds[0], "y", 1), 1);
    kit_drain(l->fds[1]);
    l->op = kit_op(PONS_OP_RECV, l->fds[0], &l->byte, 1);
    kit_pends(l->r, &l->op);
}

static void *
owner_hand(void *arg)
{
    struct owner_hand *h = arg;
    struct owner_relay *l = h->relay;

    for (unsigned t = h->number; t < TURNS; t += HANDS) {
        /* Pairs with the release below: the reactor comes with it. */
        while (poni_load_acquire(&l->turn) != t)
            sched_yield();
        owner_takes_turn(l);
        poni_store_release(&l->turn, t + 1);
    }
    return NULL;
}

static void
owner_hands_over(struct kit *k)
{
    struct owner_relay l = {.r = kit_open(k)};
    struct owner_hand hands[HANDS];
    pthread_t threads[HANDS];

    kit_unix_pair(l.fds, SOCK_STREAM);
    l.op = kit_op(PONS_OP_RECV, l.fds[0], &l.byte, 1);
    kit_pends(l.r, &l.op);
    for (unsigned i = 0; i < HANDS; i++) {
        hands[i] = (struct owner_hand){&l, i};
        KIT_THREAD(pthread_create(&threads[i], NULL, owner_hand, &hands[i]));
    }
    for (int i = 0; i < HANDS; i++)
        pthread_join(threads[i], NULL);
    kit_check_result(l.r->ops->bind(l.r), 0, "bind after the hands are gone");
    l.r->ops->cancel(l.r, &l.op);
    kit_awaits(l.r, &l.op, -ECANCELED);
    kit_close_pair(l.r, l.fds);
    kit_close(l.r);
}

/* --- what the old owner has left in it --- */

enum { LEFT = 8 };

struct owner_leaver {
    struct pons_reactor *r;
    struct pons_op *ops;
    int fds[2];
    char bytes[LEFT];
};

/* Takes one event of many, asks for a cancel, and ends. */
static void *
owner_leaves(void *arg)
{
    struct owner_leaver *l = arg;
    struct pons_event ev;
    int n;

    kit_check_result(l->r->ops->bind(l->r), 0, "bind");
    for (int i = 0; i < LEFT; i++) {
        l->ops[i] = kit_op(PONS_OP_RECV, l->fds[0], &l->bytes[i], 1);
        kit_pends(l->r, &l->ops[i]);
    }
    kit_say(l->fds[1], "abcd");
    do
        n = l->r->ops->poll(l->r, &ev, 1, PONS_NEVER);
    while (n == 0);
    kit_check_result(n, 1, "poll with room for 1 event");
    ev.op->state = 1;
    for (int i = 0; i < LEFT; i++)
        if (l->ops[i].state == 0)
            l->r->ops->cancel(l->r, &l->ops[i]);
    return NULL;
}

/* Events that wait inside, and cancels, are the new owner's. */
static void
owner_inherits(struct kit *k)
{
    struct pons_op ops[LEFT];
    struct owner_leaver l = {.r = kit_open(k), .ops = ops};
    int ended = 1, bytes = 1;
    pthread_t thread;

    kit_unix_pair(l.fds, SOCK_STREAM);
    KIT_THREAD(pthread_create(&thread, NULL, owner_leaves, &l));
    pthread_join(thread, NULL);
    kit_check_result(l.r->ops->bind(l.r), 0, "bind after the owner is gone");
    for (; ended < LEFT; ended++) {
        struct pons_event ev;
        int n;

        do
            n = l.r->ops->poll(l.r, &ev, 1, PONS_NEVER);
        while (n == 0);
        kit_check_result(n, 1, "poll with room for 1 event");
        KIT_EQ(ev.op->state, 0, "last events of an op before this one");
        ev.op->state = 1;
        bytes += ev.res == 1;
    }
    kit_quiet(l.r);
    for (; bytes < 4; bytes++)
        kit_ends(l.r, kit_op(PONS_OP_RECV, l.fds[0], l.bytes, 1), 1);
    kit_close_pair(l.r, l.fds);
    kit_close(l.r);
}

const struct kit_test kit_owner_tests[] = {
    {"R1", "ops end at the new owner while the old one spins",
     KIT_IO | KIT_MOVES, NULL, owner_spins},
    {"R1", "ops end at the new owner while the old one sleeps",
     KIT_IO | KIT_MOVES, NULL, owner_sleeps},
    {"R1", "an old owner that sleeps is not woken for each op",
     KIT_IO | KIT_MOVES, NULL, owner_sleeps_on},
    {"R1", "a reactor goes from hand to hand with an op in flight",
     KIT_IO | KIT_MOVES, NULL, owner_hands_over},
    {"R1", "what an owner that is gone has left ends at the new one",
     KIT_IO | KIT_MOVES, NULL, owner_inherits},
    {0},
};
