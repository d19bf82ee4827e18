/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/belated.c - breaks control: a descriptor that is taken back goes
 * with the next wait, be it watched again by then.
 */

#include "wrong.h"

static struct {
    int fd; // 0: none; it is nobody's here
    ino_t file;
    unsigned had;
} belated;

static ino_t
belated_file(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

static void
belated_take_out(struct pons_poller *p)
{
    if (belated.fd != 0)
        (void)poll_poller_control(p, belated.fd, 0, belated.had, 0);
    belated.fd = 0;
}

static int
belated_control(struct pons_poller *p, int fd, uint64_t cookie, unsigned had,
                unsigned want)
{
    if (fd != belated.fd || belated_file(fd) != belated.file)
        belated_take_out(p);
    if (want == 0) {
        belated.fd = fd;
        belated.file = belated_file(fd);
        belated.had = had;
        return 0;
    }
    if (fd == belated.fd) {
        had = belated.had;
        belated.had = want;
    }
    return poll_poller_control(p, fd, cookie, had, want);
}

static int
belated_wait(struct pons_poller *p, struct pons_ready *ready, unsigned cap,
             uint64_t deadline_ns)
{
    belated_take_out(p);
    return poll_poller_wait(p, ready, cap, deadline_ns);
}

WRONG_POLLER("belated", wrong_ops.control = belated_control,
             wrong_ops.wait = belated_wait)
