/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_end.c - R2, R3 and R10: how long an op is the engine's, and that
 * it ends once.
 */

#include "kit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MANY = 1000,
    PAIRS = 100,
    AT_ONCE = 4,   // the most that is taken by one poll
    POISON = 0xaa, // what an op is overwritten with when it has ended
};

/* Bytes and op are somebody else's as soon as the event is there. */
static void
end_leaves_the_op(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op *op = malloc(sizeof *op), copy;
    char *buffer = malloc(1);
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    *op = kit_op(PONS_OP_RECV, fds[0], buffer, 1);
    kit_pends(r, op);
    kit_say(fds[1], "x");
    (void)kit_await(r, op);
    *buffer = (char)POISON;
    memset(op, POISON, sizeof *op);
    memcpy(&copy, op, sizeof copy);
    kit_say(fds[1], "y");
    kit_quiet(r);
    KIT_WANT(memcmp(op, &copy, sizeof copy) == 0,
             "the op was written to after its last event");
    KIT_WANT(*buffer == (char)POISON,
             "what the op points to was written to after its last event");
    free(buffer);
    free(op);
    kit_quiet(r);
    kit_close_pair(r, fds);
    kit_close(r);
}

static void
end_of_done(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op op, copy;
    char c = 0;
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    kit_say(fds[1], "y");
    op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
    op.res = 77;
    if (kit_submit(r, &op) == PONS_SUBMIT_PENDING)
        kit_awaits(r, &op, 1);
    else
        kit_check_result(op.res, 1, "op->res after DONE");
    memset(&op, POISON, sizeof op);
    memcpy(&copy, &op, sizeof copy);
    kit_quiet(r);
    KIT_WANT(memcmp(&op, &copy, sizeof op) == 0,
             "the op was written to after DONE, or its last event");
    kit_close_pair(r, fds);
    kit_close(r);
}

/* What stands in an op and is not the reactor's. */
static void
end_of_fields(struct pons_reactor *r, struct pons_op op, int fds[2])
{
    struct pons_op before;

    op.state = 5;
    op.flags = 6;
    op.user = &op;
    op.core[0] = op.core[1] = 7;
    op.reactor = r;
    before = op;
    kit_pends(r, &op);
    kit_drain(fds[1]); // of what leaves no room to send
    kit_say(fds[1], "x");
    (void)kit_await(r, &op);
    KIT_WANT(op.state == before.state && op.flags == before.flags &&
                 op.user == before.user && op.core[0] == before.core[0] &&
                 op.core[1] == before.core[1] && op.reactor == before.reactor,
             "the core's fields of an op were written to");
    KIT_WANT(op.opcode == before.opcode && op.fd == before.fd &&
                 op.addr == before.addr && op.addr2 == before.addr2 &&
                 op.offset == before.offset && op.len == before.len &&
                 op.op_flags == before.op_flags,
             "the arguments of an op were written to");
}

static void
end_of_core_fields(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    char c;
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    end_of_fields(r, kit_op(PONS_OP_RECV, fds[0], &c, 1), fds);
    kit_fill(fds[0]);
    end_of_fields(r, kit_op(PONS_OP_SEND, fds[0], "ab", 2), fds);
    kit_close_pair(r, fds);
    kit_close(r);
}

/* An op that has ended is used again at once. */
static void
end_and_again(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op op;
    char c;
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
    for (int i = 0; i < MANY; i++) {
        kit_pends(r, &op);
        kit_say(fds[1], "x");
        (void)kit_await(r, &op);
    }
    kit_quiet(r);
    kit_close_pair(r, fds);
    kit_close(r);
}

/* Of the ops that are not multishot. */
static void
end_without_more(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_event ev;
    struct pons_op op;
    char c;
    int fds[2], n;

    for (int i = 0; i < PAIRS; i++) {
        kit_unix_pair(fds, SOCK_STREAM);
        op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
        kit_pends(r, &op);
        kit_say(fds[1], "xy");
        do
            n = r->ops->poll(r, &ev, 1, PONS_NEVER);
        while (n == 0);
        KIT_WANT(!(ev.flags & PONS_EVENT_MORE),
                 "an event of RECV, which is not multishot: found MORE");
        kit_close_pair(r, fds);
    }
    kit_close(r);
}

/* Takes the events of MANY ops, `cap` at a time. */
static void
end_take(struct pons_reactor *r, const struct pons_op *ops, unsigned cap)
{
    char seen[MANY] = {0};

    for (unsigned taken = 0; taken < MANY;) {
        struct pons_event ev[AT_ONCE];
        int n = r->ops->poll(r, ev, cap, PONS_NEVER);

        KIT_WANT(n >= 0, "poll with room for %u events: found %d", cap, n);
        for (int i = 0; i < n && i < (int)cap; i++) {
            KIT_WANT(ev[i].op >= ops && ev[i].op < ops + MANY,
                     "an event of an op that was never submitted");
            KIT_EQ(seen[ev[i].op - ops]++, 0,
                   "last events of an op before this one");
        }
        taken += (unsigned)n;
    }
    kit_quiet(r);
}

/* Cancelled, and ended by data if that was in vain. */
static void
end_of_cancelled(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    char c;
    int fds[2];

    for (int i = 0; i < PAIRS; i++) {
        struct pons_op op;

        kit_unix_pair(fds, SOCK_STREAM);
        op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
        kit_pends(r, &op);
        r->ops->cancel(r, &op);
        kit_say(fds[1], "x");
        (void)kit_await(r, &op);
        kit_quiet(r);
        kit_close_pair(r, fds);
    }
    kit_close(r);
}

/* MANY ops on one descriptor. */
static void
end_many(struct pons_reactor *r, unsigned cap)
{
    struct pons_op *ops = calloc(MANY, sizeof *ops);
    char bytes[MANY], sent[MANY] = {0};
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    for (int i = 0; i < MANY; i++) {
        ops[i] = kit_op(PONS_OP_RECV, fds[0], &bytes[i], 1);
        kit_pends(r, &ops[i]);
    }
    KIT_EQ(write(fds[1], sent, MANY), MANY, "bytes that the kit could write");
    end_take(r, ops, cap);
    free(ops);
    kit_close_pair(r, fds);
}

static void
end_once_each(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);

    end_many(r, 1);
    end_many(r, 2);
    end_many(r, AT_ONCE);
    kit_close(r);
}

/* The engine must come round to those that did not fit. */
static void
end_spread(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op ops[PAIRS];
    char bytes[PAIRS];
    int fds[PAIRS][2];

    for (int i = 0; i < PAIRS; i++) {
        kit_unix_pair(fds[i], SOCK_STREAM);
        ops[i] = kit_op(PONS_OP_RECV, fds[i][0], &bytes[i], 1);
        kit_pends(r, &ops[i]);
    }
    for (int i = 0; i < PAIRS; i++)
        kit_say(fds[i][1], "xx");
    kit_await_all(r, ops, PAIRS);
    kit_quiet(r);
    for (int i = 0; i < PAIRS; i++)
        kit_close_pair(r, fds[i]);
    kit_close(r);
}

const struct kit_test kit_end_tests[] = {
    {"R3", "a hundred descriptors are all served", KIT_IO, NULL, end_spread},
    {"R3", "an op that is cancelled ends once", KIT_ALL, NULL,
     end_of_cancelled},
    {"R3", "an op that has ended may be used again at once", KIT_IO, NULL,
     end_and_again},
    {"R2", "an op that has ended is touched no more", KIT_ALL, NULL,
     end_leaves_the_op},
    {"R2", "an op that is DONE has its result and no event", KIT_IO, NULL,
     end_of_done},
    {"R2", "the core's fields and the arguments stay", KIT_ALL, NULL,
     end_of_core_fields},
    {"R10", "an op of one event says that it is the last", KIT_ALL, NULL,
     end_without_more},
    {0},
};

/* Of more ops than a queue may have room for. */
const struct kit_test kit_many_tests[] = {
    {"R3", "a thousand ops end once each", KIT_ALL, "R4", end_once_each},
    {0},
};
