/* SPDX-License-Identifier: MIT */
/*
 * kit/poller.c - pons/poller.h, without the adapter: by the words of that page,
 * or by the number of the rule.
 */

#include "kit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pons/poller.h"

enum { MS = 1000000, PAIRS = 5, CAP = 8, COOKIE = 500 };

static void
poller_control(struct pons_poller *p, int fd, uint64_t cookie, unsigned had,
               unsigned want)
{
    kit_check_result(p->ops->control(p, fd, cookie, had, want), 0,
                     "control of a socket from %u to %u", had, want);
}

/* One report, however long it takes. */
static struct pons_ready
poller_report(struct pons_poller *p)
{
    struct pons_ready ready = {0};
    int n;

    do
        n = p->ops->wait(p, &ready, 1, PONS_NEVER);
    while (n == 0);
    kit_check_result(n, 1, "wait with room for 1 report");
    return ready;
}

static void
poller_quiet(struct pons_poller *p, const char *because)
{
    struct pons_ready ready;

    KIT_EQ(p->ops->wait(p, &ready, 1, 0), 0, "reports %s", because);
}

static void
poller_waits_until(struct pons_poller *p, uint64_t deadline)
{
    struct pons_ready ready;
    uint64_t now;

    kit_check_result(p->ops->wait(p, &ready, 1, deadline), 0,
                     "wait with nothing to report");
    now = kit_now();
    KIT_WANT(now >= deadline, "wait came back %llu ns before its deadline",
             (unsigned long long)(deadline - now));
}

static void
poller_never_early(struct kit *k)
{
    struct pons_poller *p = kit_open_poller(k);

    for (unsigned i = 0; i < 30; i++)
        poller_waits_until(p, kit_now() + i * 170000);
    poller_waits_until(p, kit_now() + 21 * MS + 1);
    p->ops->close(p);
}

/* The host's clock is what counts: by this one each sleep of the system is over
 * too soon, and has to be followed by another. */
static void
poller_on_a_slow_clock(struct kit *k)
{
    struct pons_poller *p = kit_open_poller(k);

    kit_host_slow_down(4);
    for (unsigned i = 1; i < 10; i++)
        poller_waits_until(p, kit_now() + i * 500000);
    p->ops->close(p);
}

static void
poller_in_a_storm(struct kit *k)
{
    struct pons_poller *p = kit_open_poller(k);
    timer_t storm = kit_storm(kit_ignore, 300);

    for (unsigned i = 0; i < 10; i++)
        poller_waits_until(p, kit_now() + i * 1700000);
    timer_delete(storm);
    p->ops->close(p);
}

static void
poller_woken(struct kit *k)
{
    struct pons_poller *p = kit_open_poller(k);
    struct pons_ready ready;

    kit_check_result(p->ops->wake(p), 0, "wake");
    kit_check_result(p->ops->wake(p), 0, "wake");
    kit_check_result(p->ops->wait(p, &ready, 1, PONS_NEVER), 0,
                     "wait that a wake ends");
    poller_waits_until(p, kit_now() + 3 * MS); // the bell is silent again
    p->ops->close(p);
}

/* Writable, which is not wanted; then gone, and hung up. */
static void
poller_quiet_unless_wanted(struct kit *k)
{
    struct pons_poller *p = kit_open_poller(k);
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    poller_control(p, fds[0], COOKIE, 0, PONS_READABLE);
    poller_quiet(p, "of a direction that is not wanted");
    poller_control(p, fds[0], COOKIE, PONS_READABLE, 0);
    close(fds[1]);
    poller_quiet(p, "of a hang-up after control(0)");
    close(fds[0]);
    p->ops->close(p);
}

static void
poller_cookies(struct kit *k)
{
    struct pons_poller *p = kit_open_poller(k);
    struct pons_ready ready;
    int fds[PAIRS][2];
    char c;

    for (int i = 0; i < PAIRS; i++) {
        kit_unix_pair(fds[i], SOCK_STREAM);
        poller_control(p, fds[i][0], (uint64_t)(COOKIE + i), 0, PONS_READABLE);
    }
    poller_control(p, fds[0][0], COOKIE, PONS_READABLE, 0); // makes a gap
    for (int i = 1; i < PAIRS; i++) {
        kit_say(fds[i][1], "x");
        ready = poller_report(p);
        KIT_EQ(ready.cookie, COOKIE + i, "the cookie of a report");
        KIT_WANT(ready.ready & PONS_READABLE,
                 "a report of bytes: wanted READABLE, found %u", ready.ready);
        KIT_SYS(read(fds[i][0], &c, 1));
    }
    poller_control(p, fds[1][0], 7, PONS_READABLE,
                   PONS_READABLE | PONS_WRITABLE);
    ready = poller_report(p);
    KIT_EQ(ready.cookie, 7, "the cookie of a report after another control");
    KIT_EQ(ready.ready, PONS_WRITABLE, "what is ready");
    for (int i = 0; i < PAIRS; i++) {
        if (i > 0)
            poller_control(p, fds[i][0], 1, PONS_READABLE, 0);
        close(fds[i][0]);
        close(fds[i][1]);
    }
    p->ops->close(p);
}

static void
poller_refuses(struct kit *k)
{
    struct pons_poller *p = kit_open_poller(k);
    int file = KIT_SYS(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));

    kit_check_result(p->ops->control(p, file, 1, 0, PONS_READABLE), -EPERM,
                     "control of a regular file");
    kit_check_result(p->ops->control(p, -1, 1, 0, PONS_READABLE), -EBADF,
                     "control of descriptor -1");
    close(file);
    p->ops->close(p);
}

/* All are ready, all the time, and there is room for one report. */
static void
poller_in_turn(struct kit *k)
{
    struct pons_poller *p = kit_open_poller(k);
    int fds[PAIRS][2], seen[PAIRS] = {0};

    for (int i = 0; i < PAIRS; i++) {
        kit_unix_pair(fds[i], SOCK_STREAM);
        poller_control(p, fds[i][0], (uint64_t)i, 0, PONS_WRITABLE);
    }
    for (int i = 0; i < PAIRS; i++) {
        struct pons_ready ready = poller_report(p);

        KIT_WANT(ready.cookie < PAIRS, "a cookie that was never given");
        KIT_EQ(seen[ready.cookie]++, 0,
               "reports of a descriptor while others wait for their first");
    }
    for (int i = 0; i < PAIRS; i++) {
        poller_control(p, fds[i][0], 0, PONS_WRITABLE, 0);
        close(fds[i][0]);
        close(fds[i][1]);
    }
    p->ops->close(p);
}

const struct kit_test kit_poller_tests[] = {
    {"R11", "wait is never early", KIT_ALL, NULL, poller_never_early},
    {"R11", "wait keeps to the host's clock", KIT_ALL, NULL,
     poller_on_a_slow_clock},
    {"R7", "wait ends by its deadline, not by signals", KIT_ALL, "R11",
     poller_in_a_storm},
    {"R8", "wait ends by a wake, once", KIT_ALL, "R11", poller_woken},
    {"level", "only what is wanted is reported", KIT_ALL, NULL,
     poller_quiet_unless_wanted},
    {"R7", "all that is ready is reported in turn", KIT_ALL, NULL,
     poller_in_turn},
    {"cookie", "the cookie is that of the latest control", KIT_ALL, NULL,
     poller_cookies},
    {"control", "files are EPERM, bad descriptors EBADF", KIT_ALL, NULL,
     poller_refuses},
    {0},
};
