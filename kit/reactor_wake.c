/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_wake.c - R8: a wake before or during poll makes it return.
 *
 * A wake that is lost shows as a test that hangs.
 */

#include "kit.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/atomic.h"

enum {
    MS = 1000000,
    THREADS = 4,
    WAKES = 5000,     // of each thread
    TURNS = 2000,     // of a relay
    SIGNALS = 100,    // that a test waits for
    UNHEARD = 100000, // a pipe has room for 64 Ki bytes
};

static void
wake_now(struct pons_reactor *r)
{
    kit_check_result(r->ops->wake(r), 0, "wake");
}

/* A poll that only a wake can end. */
static void
wake_ends_poll(struct pons_reactor *r)
{
    struct pons_event ev;

    kit_check_result(r->ops->poll(r, &ev, 1, PONS_NEVER), 0,
                     "poll that a wake ends");
}

/* So many wakes were answered by as many polls, at most; this one waits. */
static void
wake_is_over(struct pons_reactor *r, int wakes)
{
    uint64_t deadline = kit_now() + MS;
    struct pons_event ev;

    kit_check_result(r->ops->poll(r, &ev, 1, deadline), 0, "poll");
    KIT_WANT(kit_now() >= deadline,
             "wakes before a poll, %d: wanted no more polls than that to "
             "return for them, found one that returns before its deadline",
             wakes);
}

/* Two may count as one, or as two. */
static void
wake_counts_once(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_event ev;

    wake_now(r);
    wake_ends_poll(r);
    wake_is_over(r, 1);
    wake_now(r);
    wake_now(r);
    wake_ends_poll(r);
    (void)r->ops->poll(r, &ev, 1, kit_now() + MS);
    wake_is_over(r, 2);
    kit_close(r);
}

/* Nobody polls meanwhile: what the bell is made of has room for them all, or
 * needs none. */
static void
wake_unheard(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);

    for (int i = 0; i < UNHEARD; i++)
        wake_now(r);
    wake_ends_poll(r);
    kit_close(r);
}

struct wake_storm {
    struct pons_reactor *r;
    int woken; // how often, by all threads
};

static void *
wake_often(void *arg)
{
    struct wake_storm *s = arg;

    for (int i = 0; i < WAKES; i++) {
        poni_add_relaxed(&s->woken, 1); // a count, nothing else: no partner
        wake_now(s->r);
    }
    return NULL;
}

static void *
wake_once(void *arg)
{
    struct wake_storm *s = arg;

    /* Pairs with the load behind poll: it came back for the wake. */
    poni_store_seq(&s->woken, 1);
    wake_now(s->r);
    return NULL;
}

/* All at a time, where one wake makes up for another that is lost; then each
 * alone. */
static void
wake_from_threads(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct wake_storm s = {.r = r};
    pthread_t threads[THREADS];
    struct pons_event ev;

    for (int i = 0; i < THREADS; i++)
        KIT_THREAD(pthread_create(&threads[i], NULL, wake_often, &s));
    while (poni_load_relaxed(&s.woken) < THREADS * WAKES)
        wake_ends_poll(r);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    (void)r->ops->poll(r, &ev, 1, 0); // for a wake that came after all
    for (int i = 0; i < THREADS; i++) {
        KIT_THREAD(pthread_create(&threads[i], NULL, wake_once, &s));
        wake_ends_poll(r);
        pthread_join(threads[i], NULL);
    }
    kit_close(r);
}

/* Each end is opened and owned by one thread: handing over is R1's matter. */
struct wake_relay {
    struct kit *kit;
    struct pons_reactor *here, *there;
};

static void *
wake_back(void *arg)
{
    struct wake_relay *l = arg;
    struct pons_reactor *there = kit_open(l->kit);

    /* Pairs with the acquire in wake_in_turn(): publishes the reactor. */
    poni_store_release(&l->there, there);
    for (int i = 0; i < TURNS; i++) {
        wake_ends_poll(there);
        wake_now(l->here);
    }
    return NULL;
}

static void
wake_in_turn(struct kit *k)
{
    struct wake_relay l = {.kit = k, .here = kit_open(k)};
    pthread_t thread;

    KIT_THREAD(pthread_create(&thread, NULL, wake_back, &l));
    while (poni_load_acquire(&l.there) == NULL)
        sched_yield();
    for (int i = 0; i < TURNS; i++) {
        wake_now(l.there);
        wake_ends_poll(l.here);
    }
    pthread_join(thread, NULL);
    kit_close(l.here);
    kit_close(l.there);
}

static struct pons_reactor *wake_target;
static int wake_handled; // atomic: any thread may get the signal

static void
wake_handler(int signal)
{
    int saved = errno;

    (void)signal;
    errno = 77;
    wake_target->ops->wake(wake_target);
    if (errno != 77)
        kit_fail("wake in a signal handler: wanted errno kept, found it "
                 "changed");
    (void)poni_add_relaxed(&wake_handled, 1);
    errno = saved;
}

/* Each poll ends only by a wake from a handler that interrupts it, or that ran
 * inside submit or cancel before. */
static void
wake_from_signals(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_event ev;
    struct pons_op op;
    timer_t storm;
    char c;
    int fds[2], n;

    kit_unix_pair(fds, SOCK_STREAM);
    wake_target = r;
    storm = kit_storm(wake_handler, 200);
    while (poni_load_relaxed(&wake_handled) < SIGNALS) {
        op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
        kit_pends(r, &op);
        n = r->ops->poll(r, &ev, 1, PONS_NEVER);
        if (n == 0)
            r->ops->cancel(r, &op);
        while (n == 0)
            n = r->ops->poll(r, &ev, 1, PONS_NEVER);
        KIT_WANT(n == 1 && ev.op == &op, "wanted the op's event, found none");
    }
    timer_delete(storm);
    kit_close_pair(r, fds);
    kit_close(r);
}

/* A wake that comes together with a report that helps nobody. */
static void
wake_beside_reports(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op op;
    char c;
    int fds[2];

    for (int i = 0; i < 100; i++) {
        kit_unix_pair(fds, SOCK_STREAM);
        op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
        kit_pends(r, &op); // it is writable: of no use
        wake_now(r);
        wake_ends_poll(r);
        r->ops->cancel(r, &op);
        kit_awaits(r, &op, -ECANCELED);
        kit_close_pair(r, fds);
    }
    kit_close(r);
}

/* --- wakes beside I/O --- */

enum { ECHOES = 3000 };

static int wake_enough; // for the threads that wake until it is set

static void *
wake_until_enough(void *arg)
{
    struct pons_reactor *r = arg;

    while (!poni_load_relaxed(&wake_enough))
        wake_now(r);
    return NULL;
}

/* Threads and a signal handler wake all the time; no event is lost or late. */
static void
wake_while_working(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    pthread_t threads[THREADS];
    timer_t storm;
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    wake_target = r;
    storm = kit_storm(wake_handler, 100);
    for (int i = 0; i < THREADS; i++)
        KIT_THREAD(pthread_create(&threads[i], NULL, wake_until_enough, r));
    for (int i = 0; i < ECHOES; i++) {
        char c = 0, sent = (char)(i % 100);
        struct pons_op op = kit_op(PONS_OP_RECV, fds[0], &c, 1);

        kit_pends(r, &op);
        KIT_EQ(write(fds[1], &sent, 1), 1, "bytes that the kit could write");
        kit_awaits(r, &op, 1);
        KIT_EQ(c, sent, "byte %d of %d", i, ECHOES);
    }
    /* A flag, and nothing that goes with it: no partner. */
    poni_store_relaxed(&wake_enough, 1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    timer_delete(storm);
    kit_close_pair(r, fds);
    kit_close(r);
}

static void
wake_keeps_errno(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);

    for (int i = 0; i < SIGNALS; i++) {
        errno = 77;
        wake_now(r);
        KIT_EQ(errno, 77, "errno after wake");
    }
    kit_close(r);
}

/* A deadline very far away is no reason to come back, nor to hang. */
static void
wake_from_far(struct kit *k)
{
    static const uint64_t far_ns[] = {UINT64_C(1) << 42, UINT64_C(1) << 53,
                                      UINT64_C(1) << 62, PONS_NEVER - 1};
    struct pons_reactor *r = kit_open(k);
    struct pons_event ev;
    pthread_t thread;

    for (size_t i = 0; i < sizeof far_ns / sizeof *far_ns; i++) {
        struct wake_storm s = {.r = r};
        uint64_t now = kit_now(), deadline = far_ns[i];

        if (deadline < PONS_NEVER - 1 - now)
            deadline += now;
        KIT_THREAD(pthread_create(&thread, NULL, wake_once, &s));
        kit_check_result(r->ops->poll(r, &ev, 1, deadline), 0,
                         "poll with a deadline of %llu ns",
                         (unsigned long long)deadline);
        KIT_WANT(poni_load_seq(&s.woken),
                 "poll with a deadline of %llu ns came back before its wake",
                 (unsigned long long)deadline);
        pthread_join(thread, NULL);
    }
    kit_close(r);
}

const struct kit_test kit_wake_tests[] = {
    {"R8", "several wakes may count as one", KIT_ALL, "R11", wake_counts_once},
    {"R8", "wakes that nobody hears are in nobody's way", KIT_ALL, NULL,
     wake_unheard},
    {"R8", "no wake of many threads is lost", KIT_ALL, NULL, wake_from_threads},
    {"R8", "two reactors wake each other in turn", KIT_ALL, NULL, wake_in_turn},
    {"R8", "a signal handler may wake inside any function", KIT_ALL, NULL,
     wake_from_signals},
    {"R8", "a wake is not swallowed by other reports", KIT_IO, NULL,
     wake_beside_reports},
    {"R8", "no event is lost in a storm of wakes", KIT_IO, NULL,
     wake_while_working},
    {"R8", "wake keeps errno", KIT_ALL, NULL, wake_keeps_errno},
    {"R7", "the farthest deadline neither ends poll nor is in a wake's way",
     KIT_ALL, "R8", wake_from_far},
    {0},
};
