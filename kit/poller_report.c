/* SPDX-License-Identifier: MIT */
/*
 * kit/poller_report.c - what pollers report, by the words of pons/poller.h.
 */

#include "poller.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    BOTH = PONS_READABLE | PONS_WRITABLE,
    PAIRS = 5,
    MANY = 300, // descriptors; their numbers need more than a byte
    COOKIE = 500,
    ROUNDS = 100,
    HIGH = 900, // a descriptor far from the others
};

static void
report_close_pair(struct pons_poller *p, int fds[2], unsigned had)
{
    kit_control(p, fds[0], COOKIE, had, 0);
    close(fds[0]);
    close(fds[1]);
}

/* --- control --- */

static void
report_refused(struct kit *k)
{
    struct pons_poller *p = kit_poller_open(k);
    int file = kit_file();

    kit_check_result(p->ops->control(p, file, 1, 0, PONS_READABLE), -EPERM,
                     "control of a regular file");
    kit_check_result(p->ops->control(p, -1, 1, 0, PONS_READABLE), -EBADF,
                     "control of descriptor -1");
    close(file);
    kit_poller_close(p);
}

static void
report_again(struct kit *k)
{
    struct pons_poller *p = kit_poller_open(k);

    for (int i = 0; i < ROUNDS; i++) {
        char c;
        int fds[2];

        kit_unix_pair(fds, SOCK_STREAM);
        kit_control(p, fds[0], COOKIE, 0, PONS_READABLE);
        kit_control(p, fds[0], COOKIE, PONS_READABLE, 0);
        kit_control(p, fds[0], (uint64_t)i, 0, PONS_READABLE);
        kit_say(fds[1], "x");
        KIT_EQ(kit_report(p).cookie, i, "the cookie of a report");
        KIT_SYS(read(fds[0], &c, 1));
        report_close_pair(p, fds, PONS_READABLE);
    }
    kit_no_report(p, "of descriptors that are gone");
    kit_poller_close(p);
}

static void
report_many(struct kit *k)
{
    struct pons_poller *p = kit_poller_open(k);
    int fds[MANY][2], high[2];
    struct pons_ready ready;

    for (int i = 0; i < MANY; i++) {
        kit_unix_pair(fds[i], SOCK_STREAM);
        kit_control(p, fds[i][0], (uint64_t)i, 0, PONS_READABLE);
    }
    high[0] = KIT_SYS(fcntl(fds[0][0], F_DUPFD_CLOEXEC, HIGH));
    high[1] = KIT_SYS(dup(fds[0][1]));
    kit_control(p, high[0], HIGH, 0, PONS_WRITABLE);
    KIT_EQ(kit_report(p).cookie, HIGH, "the cookie of descriptor %d", high[0]);
    report_close_pair(p, high, PONS_WRITABLE);
    for (int i = MANY - 1; i >= 0; i--) {
        kit_say(fds[i][1], "x");
        ready = kit_report(p);
        KIT_EQ(ready.cookie, i, "the cookie of one report among %d", MANY);
        report_close_pair(p, fds[i], PONS_READABLE);
    }
    kit_poller_close(p);
}

static void
report_high(struct kit *k)
{
    struct pons_poller *p;
    int fds[2];

    kit_high_pair(fds);
    p = kit_poller_open(k);
    kit_control(p, fds[0], COOKIE, 0, PONS_READABLE);
    kit_say(fds[1], "x");
    KIT_EQ(kit_report(p).cookie, COOKIE, "the cookie of descriptor %d", fds[0]);
    report_close_pair(p, fds, PONS_READABLE);
    kit_poller_close(p);
}

/* --- level, edge --- */

/* Writable, which is not wanted; then gone, and hung up. */
static void
report_unwanted(struct kit *k)
{
    struct pons_poller *p = kit_poller_open(k);
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    kit_control(p, fds[0], COOKIE, 0, PONS_READABLE);
    kit_no_report(p, "of a direction that is not wanted");
    kit_control(p, fds[0], COOKIE, PONS_READABLE, 0);
    close(fds[1]);
    kit_no_report(p, "of a hang-up after control(0)");
    close(fds[0]);
    kit_poller_close(p);
}

static void
report_for_as_long(struct kit *k)
{
    struct pons_poller *p = kit_poller_open(k);
    char c;
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    kit_control(p, fds[0], COOKIE, 0, PONS_READABLE);
    kit_say(fds[1], "ab");
    for (int i = 0; i < 2; i++) {
        for (int n = 0; n < PAIRS; n++)
            (void)kit_report(p);
        KIT_SYS(read(fds[0], &c, 1));
    }
    kit_no_report(p, "of a descriptor that is not ready any more");
    report_close_pair(p, fds, PONS_READABLE);
    kit_poller_close(p);
}

/* Ready before it is added, and each time that there is something new. */
static void
report_each_change(struct kit *k)
{
    struct pons_poller *p = kit_poller_open(k);
    char c;
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    kit_say(fds[1], "x");
    kit_control(p, fds[0], COOKIE, 0, PONS_READABLE);
    for (int i = 0; i < ROUNDS; i++) {
        (void)kit_report(p);
        KIT_SYS(read(fds[0], &c, 1));
        kit_no_report(p, "of a descriptor that is not ready any more");
        kit_say(fds[1], "x");
    }
    (void)kit_report(p);
    report_close_pair(p, fds, PONS_READABLE);
    kit_poller_close(p);
}

/* --- error --- */

static void
report_hang_up(struct kit *k)
{
    struct pons_poller *p = kit_poller_open(k);
    int fds[2];

    kit_pipe(fds);
    kit_control(p, fds[0], COOKIE, 0, PONS_READABLE);
    close(fds[1]);
    KIT_WANT(kit_report(p).ready & PONS_READABLE,
             "a pipe without writer, READABLE wanted: wanted it ready");
    kit_control(p, fds[0], COOKIE, PONS_READABLE, 0);
    close(fds[0]);

    kit_pipe(fds);
    kit_fill(fds[1]);
    kit_control(p, fds[1], COOKIE, 0, PONS_WRITABLE);
    kit_no_report(p, "of a pipe that is full");
    close(fds[0]);
    KIT_WANT(kit_report(p).ready & PONS_WRITABLE,
             "a full pipe without reader, WRITABLE wanted: wanted it ready");
    kit_control(p, fds[1], COOKIE, PONS_WRITABLE, 0);
    close(fds[1]);
    kit_poller_close(p);
}

/* Of a connect that is refused: whoever waits for either shall look. */
static void
report_error(struct kit *k)
{
    struct pons_poller *p = kit_poller_open(k);
    struct sockaddr_in dead;
    int fd = kit_tcp_socket(SOCK_NONBLOCK);
    unsigned all = 0;

    kit_tcp_nobody(&dead);
    (void)connect(fd, (struct sockaddr *)&dead, sizeof dead);
    kit_control(p, fd, COOKIE, 0, BOTH);
    all = kit_report(p).ready | kit_reported(p);
    KIT_EQ(all & BOTH, BOTH, "what is ready of a refused socket, both wanted");
    kit_control(p, fd, COOKIE, BOTH, 0);
    close(fd);
    kit_poller_close(p);
}

/* --- endings --- */

static void
report_endings(struct kit *k)
{
    struct pons_poller *p = kit_poller_open(k);
    int fds[2];

    kit_tcp_pair(fds);
    kit_control(p, fds[0], COOKIE, 0, BOTH);
    kit_say(fds[1], "abc");
    while (!(kit_report(p).ready & PONS_READABLE))
        continue;
    KIT_EQ(kit_reported(p) & PONS_ENDING, 0, "ENDING of a stream that goes on");
    KIT_SYS(shutdown(fds[1], SHUT_WR));
    while (!(kit_report(p).ready & PONS_ENDING))
        continue; // an engine that does not tell hangs here
    report_close_pair(p, fds, BOTH);

    kit_tcp_pair(fds);
    kit_control(p, fds[0], COOKIE, 0, BOTH);
    KIT_SYS(send(fds[1], "!", 1, MSG_OOB));
    while (!(kit_report(p).ready & PONS_ENDING))
        continue;
    report_close_pair(p, fds, BOTH);
    kit_poller_close(p);
}

/* --- cookie --- */

static void
report_cookies(struct kit *k)
{
    static const uint64_t cookies[] = {0, 1, UINT64_C(1) << 32,
                                       UINT64_C(1) << 63, UINT64_MAX - 1};
    struct pons_poller *p = kit_poller_open(k);
    int fds[2];

    for (size_t i = 0; i < sizeof cookies / sizeof *cookies; i++) {
        kit_unix_pair(fds, SOCK_STREAM);
        kit_control(p, fds[0], cookies[i], 0, PONS_WRITABLE);
        KIT_WANT(kit_report(p).cookie == cookies[i],
                 "a report: wanted the cookie %#llx, found another",
                 (unsigned long long)cookies[i]);
        report_close_pair(p, fds, PONS_WRITABLE);
    }
    kit_poller_close(p);
}

static void
report_latest_cookie(struct kit *k)
{
    struct pons_poller *p = kit_poller_open(k);
    struct pons_ready ready;
    int fds[PAIRS][2];

    for (int i = 0; i < PAIRS; i++) {
        kit_unix_pair(fds[i], SOCK_STREAM);
        kit_control(p, fds[i][0], (uint64_t)(COOKIE + i), 0, PONS_READABLE);
    }
    report_close_pair(p, fds[0], PONS_READABLE); // makes a gap
    for (int i = 1; i < PAIRS; i++) {
        kit_say(fds[i][1], "x");
        KIT_EQ(kit_report(p).cookie, COOKIE + i, "the cookie of a report");
        kit_drain(fds[i][0]);
    }
    kit_control(p, fds[1][0], 7, PONS_READABLE, BOTH);
    ready = kit_report(p);
    KIT_EQ(ready.cookie, 7, "the cookie of a report after another control");
    KIT_EQ(ready.ready & BOTH, PONS_WRITABLE, "what is ready");
    for (int i = 1; i < PAIRS; i++)
        report_close_pair(p, fds[i], i == 1 ? BOTH : PONS_READABLE);
    kit_poller_close(p);
}

/* --- R14 --- */

/* A child's close is no control() of the parent's, which has waited before:
 * what is registered with the kernel late is registered then. */
static void
report_after_fork(struct kit *k)
{
    struct pons_poller *p = kit_poller_open(k);
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    kit_control(p, fds[0], COOKIE, 0, PONS_READABLE);
    kit_no_report(p, "of a descriptor that is not ready");
    if (kit_child()) {
        kit_poller_close(p);
        kit_child_ends();
    }
    kit_say(fds[1], "x");
    KIT_EQ(kit_report(p).cookie, COOKIE, "the cookie of a report");
    report_close_pair(p, fds, PONS_READABLE);
    kit_poller_close(p);
}

const struct kit_test kit_report_tests[] = {
    {"level", "only what is wanted is reported", KIT_ALL, NULL,
     report_unwanted},
    {"level", "what is ready is reported for as long as it is", KIT_LEVEL, NULL,
     report_for_as_long},
    {"cookie", "every cookie comes back as it was given", KIT_ALL, NULL,
     report_cookies},
    {"cookie", "the cookie is that of the latest control", KIT_ALL, "level",
     report_latest_cookie},
    {"control", "files are EPERM, bad descriptors EBADF", KIT_ALL, NULL,
     report_refused},
    {"control", "what was taken back is watched again", KIT_ALL, "level cookie",
     report_again},
    {"control", "hundreds of descriptors are watched", KIT_ALL, "level cookie",
     report_many},
    {"control", "a descriptor of a high number is watched", KIT_ALL,
     "level cookie", report_high},
    {"edge", "what is ready at first, and every change, is reported", KIT_ALL,
     "level", report_each_change},
    {"edge", "endings are told apart", KIT_ENDINGS, NULL, report_endings},
    {"error", "a hang-up is what is wanted", KIT_ALL, "level", report_hang_up},
    {"error", "an error is both directions", KIT_ALL, NULL, report_error},
    {"R14", "a child's close leaves the parent's watches alone", KIT_ALL, NULL,
     report_after_fork},
    {0},
};
