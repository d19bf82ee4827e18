/* SPDX-License-Identifier: MIT */
/*
 * kit/poller_wait.c - R7, R8 and R11 of pollers: when wait comes back. The
 * adapter looks at the clock itself, and rings no more than it must: by it
 * nothing of this could be seen.
 */

#include "poller.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/atomic.h"

enum {
    MS = 1000000,
    PAIRS = 5,
    THREADS = 4,
    WAKES = 5000,
    SIGNALS = 100,
    UNHEARD = 100000, // wakes; a pipe has room for 64 Ki bytes
};

/* Not before its time, whatever this is the fault of. */
static void
wait_until(struct pons_poller *p, uint64_t deadline)
{
    struct pons_ready ready;
    uint64_t now;

    kit_check_result(p->ops->wait(p, &ready, 1, deadline), 0,
                     "wait with nothing to report");
    now = kit_now();
    KIT_WANT(now >= deadline, "wait came back %llu ns before its deadline",
             (unsigned long long)(deadline - now));
}

/* --- R11 --- */

static void
wait_never_early(struct kit *k)
{
    struct pons_poller *p = kit_poller_open(k);

    for (unsigned i = 0; i < 30; i++)
        wait_until(p, kit_now() + i * 170000);
    wait_until(p, kit_now() + 21 * MS + 1);
    kit_poller_close(p);
}

/* The host's clock is what counts: by this one each sleep of the system is over
 * too soon, and has to be followed by another. */
static void
wait_on_a_slow_clock(struct kit *k)
{
    struct pons_poller *p = kit_poller_open(k);

    kit_host_slow_down(4);
    for (unsigned i = 1; i < 10; i++)
        wait_until(p, kit_now() + i * 500000);
    kit_poller_close(p);
}

/* --- R7 --- */

static void
wait_in_a_storm(struct kit *k)
{
    struct pons_poller *p = kit_poller_open(k);
    timer_t storm = kit_storm(kit_ignore, 300);

    for (unsigned i = 0; i < 10; i++)
        wait_until(p, kit_now() + i * 1700000);
    timer_delete(storm);
    kit_poller_close(p);
}

/* All are ready, all the time, and there is room for one report. */
static void
wait_in_turn(struct kit *k)
{
    struct pons_poller *p = kit_poller_open(k);
    int fds[PAIRS][2], seen[PAIRS] = {0};

    for (int i = 0; i < PAIRS; i++) {
        kit_unix_pair(fds[i], SOCK_STREAM);
        kit_control(p, fds[i][0], (uint64_t)i, 0, PONS_WRITABLE);
    }
    for (int i = 0; i < PAIRS; i++) {
        struct pons_ready ready = kit_report(p);

        KIT_WANT(ready.cookie < PAIRS, "a cookie that was never given");
        KIT_EQ(seen[ready.cookie]++, 0,
               "reports of a descriptor while others wait for their first");
    }
    for (int i = 0; i < PAIRS; i++) {
        kit_control(p, fds[i][0], 0, PONS_WRITABLE, 0);
        close(fds[i][0]);
        close(fds[i][1]);
    }
    kit_poller_close(p);
}

/* --- R8 --- */

static void
wait_wake(struct pons_poller *p)
{
    errno = 77;
    kit_check_result(p->ops->wake(p), 0, "wake");
    KIT_EQ(errno, 77, "errno after wake");
}

/* A wait that only a wake can end. */
static void
wait_for_a_wake(struct pons_poller *p)
{
    struct pons_ready ready;

    kit_check_result(p->ops->wait(p, &ready, 1, PONS_NEVER), 0,
                     "wait that a wake ends");
}

static void
wait_woken(struct kit *k)
{
    struct pons_poller *p = kit_poller_open(k);
    struct pons_ready ready;

    wait_wake(p);
    wait_for_a_wake(p);
    wait_until(p, kit_now() + 3 * MS); // the bell is silent again
    wait_wake(p);
    wait_wake(p);
    wait_for_a_wake(p);
    (void)p->ops->wait(p, &ready, 1, kit_now() + MS); // may count as two
    wait_until(p, kit_now() + 3 * MS);
    kit_poller_close(p);
}

/* The core rings once for many; that a poller is rung often is no less
 * allowed. */
static void
wait_unheard(struct kit *k)
{
    struct pons_poller *p = kit_poller_open(k);

    for (int i = 0; i < UNHEARD; i++)
        wait_wake(p);
    wait_for_a_wake(p);
    kit_poller_close(p);
}

struct wait_storm {
    struct pons_poller *p;
    int woken; // how often, by all threads
};

static void *
wait_waker(void *arg)
{
    struct wait_storm *s = arg;

    for (int i = 0; i < WAKES; i++) {
        poni_add_relaxed(&s->woken, 1); // a count, nothing else: no partner
        wait_wake(s->p);
    }
    return NULL;
}

static void
wait_woken_by_threads(struct kit *k)
{
    struct wait_storm s = {.p = kit_poller_open(k)};
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        KIT_THREAD(pthread_create(&threads[i], NULL, wait_waker, &s));
    while (poni_load_relaxed(&s.woken) < THREADS * WAKES)
        wait_for_a_wake(s.p);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    kit_poller_close(s.p);
}

static struct pons_poller *wait_target;
static volatile sig_atomic_t wait_handled;

static void
wait_handler(int signal)
{
    int saved = errno;

    (void)signal;
    wait_wake(wait_target);
    wait_handled++;
    errno = saved;
}

static void
wait_woken_by_signals(struct kit *k)
{
    struct pons_poller *p = kit_poller_open(k);
    timer_t storm;

    wait_target = p;
    storm = kit_storm(wait_handler, 200);
    while (wait_handled < SIGNALS)
        wait_for_a_wake(p);
    timer_delete(storm);
    kit_poller_close(p);
}

const struct kit_test kit_wait_tests[] = {
    {"R11", "wait is never early", KIT_ALL, NULL, wait_never_early},
    {"R11", "wait keeps to the host's clock", KIT_ALL, NULL,
     wait_on_a_slow_clock},
    {"R7", "wait ends by its deadline, not by signals", KIT_ALL, "R11",
     wait_in_a_storm},
    {"R7", "all that is ready is reported in turn", KIT_ALL, NULL,
     wait_in_turn},
    {"R8", "wait ends by a wake, once", KIT_ALL, "R11", wait_woken},
    {"R8", "wakes that no wait hears are in nobody's way", KIT_ALL, NULL,
     wait_unheard},
    {"R8", "no wake of many threads is lost to wait", KIT_ALL, NULL,
     wait_woken_by_threads},
    {"R8", "a signal handler may wake inside wait", KIT_ALL, NULL,
     wait_woken_by_signals},
    {0},
};
