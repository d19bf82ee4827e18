/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_poll.c - R7 and R11: when poll comes back, and how full.
 */

#include "kit.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MS = 1000000,
    LOOKS = 100,
    STEP_NS = 1000, // of a virtual clock
};

/* Not before its time. What comes back too soon, and why, is the caller's; an
 * event that nobody waits for is R3's matter. */
static void
poll_waits(struct pons_reactor *r, uint64_t span_ns)
{
    uint64_t deadline = kit_now() + span_ns, now;
    struct pons_event ev;
    int n = r->ops->poll(r, &ev, 1, deadline);

    now = kit_now();
    if (n > 0)
        return;
    kit_check_result(n, 0, "poll with nothing to report");
    KIT_WANT(now >= deadline,
             "poll came back %llu ns before its deadline, which was %llu ns "
             "away",
             (unsigned long long)(deadline - now), (unsigned long long)span_ns);
}

/* --- R11 --- */

static void
poll_never_early(struct kit *k)
{
    static const uint64_t spans[] = {1,      1000,        MS / 2,     MS - 1,
                                     MS,     MS + 1,      3 * MS / 2, 2 * MS,
                                     5 * MS, 20 * MS + 1, 25 * MS};
    struct pons_reactor *r = kit_open(k);
    struct pons_event ev;

    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++)
        poll_waits(r, spans[i]);
    for (unsigned i = 0; i < 50; i++)
        poll_waits(r, i * 40000);
    kit_check_result(r->ops->poll(r, &ev, 1, 1), 0,
                     "poll whose deadline is long past");
    kit_check_result(r->ops->poll(r, &ev, 1, kit_now()), 0,
                     "poll whose deadline is now");
    kit_close(r);
}

/* A deadline that was not used, since there was an event (and not a wake, which
 * is R8's), must not end a later, longer wait. */
static void
poll_unused_deadline(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_event ev;
    struct pons_op op;
    char c;
    int fds[2], n;

    kit_unix_pair(fds, SOCK_STREAM);
    for (int i = 0; i < 20; i++) {
        op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
        kit_pends(r, &op);
        kit_say(fds[1], "x");
        do
            n = r->ops->poll(r, &ev, 1, kit_now() + MS);
        while (n == 0);
        kit_check_result(n, 1, "poll with room for 1 event");
        poll_waits(r, 3 * MS);
    }
    kit_close_pair(r, fds);
    kit_close(r);
}

/* The clock advances by a step for each look at it, and for nothing else: what
 * it said last tells to the nanosecond who came back early. */
static void
poll_on_a_virtual_clock(struct kit *k)
{
    static const uint64_t spans[] = {
        1,           STEP_NS - 1, STEP_NS,         STEP_NS + 1,
        2 * STEP_NS, 5 * STEP_NS, 5 * STEP_NS + 1, 10 * STEP_NS - 1};
    struct pons_reactor *r;
    struct pons_event ev;

    kit_host_virtual(STEP_NS);
    r = kit_open(k);
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        uint64_t deadline = kit_now() + spans[i], said;

        kit_check_result(r->ops->poll(r, &ev, 1, deadline), 0,
                         "poll with nothing to report");
        said = kit_now() - STEP_NS;
        KIT_WANT(said >= deadline,
                 "poll came back when the host's clock said that its deadline, "
                 "%llu ns away at first, was still %llu ns away",
                 (unsigned long long)spans[i],
                 (unsigned long long)(deadline - said));
    }
    kit_close(r);
}

/* --- R7 --- */

static void
poll_in_a_storm(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    timer_t storm = kit_storm(kit_ignore, 300);

    poll_waits(r, 50 * MS);
    poll_waits(r, MS + MS / 2);
    timer_delete(storm);
    kit_close(r);
}

/* With nothing to report, and something to wait for. */
static void
poll_looks(struct pons_reactor *r)
{
    long before = kit_naps(), naps;

    for (int i = 0; i < LOOKS; i++)
        kit_quiet(r);
    naps = kit_naps() - before;
    KIT_WANT(naps < LOOKS / 2,
             "%d polls with deadline 0: wanted none that sleeps, found that "
             "the thread slept %ld times",
             LOOKS, naps);
}

static void
poll_zero(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_event ev;
    struct pons_op op;
    char c;
    int fds[2], n;

    kit_unix_pair(fds, SOCK_STREAM);
    kit_quiet(r);
    op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
    kit_pends(r, &op);
    poll_looks(r);
    kit_say(fds[1], "x");
    do // it is there at once, or soon
        n = r->ops->poll(r, &ev, 1, 0);
    while (n == 0);
    kit_check_result(n, 1, "poll with room for 1 event");
    kit_close_pair(r, fds);
    kit_close(r);
}

/* A time that is over is no reason not to look: of who works all the time each
 * deadline is. */
static void
poll_when_late(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_event ev;
    struct pons_op op;
    char c;
    int fds[2], n;

    kit_unix_pair(fds, SOCK_STREAM);
    op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
    kit_pends(r, &op);
    kit_say(fds[1], "x");
    do // it is there at once, or soon
        n = r->ops->poll(r, &ev, 1, kit_now());
    while (n == 0);
    kit_check_result(n, 1, "poll with room for 1 event");
    kit_close_pair(r, fds);
    kit_close(r);
}

enum { OPS = 16, ROOM = 4, POISON = 0xaa };

/* One poll, which writes to its room alone; how many events it says. */
static int
poll_in_room(struct pons_reactor *r)
{
    struct pons_event ev[OPS], guard;
    int n;

    memset(&guard, POISON, sizeof guard);
    memset(ev, POISON, sizeof ev);
    n = r->ops->poll(r, ev, ROOM, PONS_NEVER);
    KIT_WANT(n >= 0 && n <= ROOM, "poll with room for %d: found %d", ROOM, n);
    for (int i = ROOM; i < OPS; i++)
        KIT_WANT(memcmp(&ev[i], &guard, sizeof guard) == 0,
                 "poll wrote beyond its room for %d events", ROOM);
    return n;
}

/* How often an op ends, and how, is not asked here. */
static void
poll_keeps_to_its_room(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op ops[OPS];
    char bytes[OPS];
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    for (int i = 0; i < OPS; i++) {
        ops[i] = kit_op(PONS_OP_RECV, fds[0], &bytes[i], 1);
        kit_pends(r, &ops[i]);
    }
    kit_say(fds[1], "0123456789abcdef");
    for (int taken = 0; taken < OPS;)
        taken += poll_in_room(r);
    kit_close(r);
    close(fds[0]);
    close(fds[1]);
}

const struct kit_test kit_poll_tests[] = {
    {"R11", "poll is never early", KIT_ALL, NULL, poll_never_early},
    {"R11", "a deadline that was not used is forgotten", KIT_ALL, NULL,
     poll_unused_deadline},
    {"R11", "poll is never early on a virtual clock", KIT_VIRTUAL, NULL,
     poll_on_a_virtual_clock},
    {"R7", "signals do not end poll", KIT_ALL, "R11", poll_in_a_storm},
    {"R7", "deadline 0 looks and does not sleep", KIT_IO, NULL, poll_zero},
    {"R7", "a deadline that is over looks, too", KIT_IO, NULL, poll_when_late},
    {"R7", "poll keeps to its room, and what is more stays", KIT_ALL, NULL,
     poll_keeps_to_its_room},
    {0},
};
