/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/once.c - breaks level: what is ready is reported once per change,
 * and the engine does not say that it does so.
 */

#include "wrong.h"

enum { ONCE_ROOM = 1024 };

static short once_told[ONCE_ROOM]; // of each descriptor, since it is so

static int
once_control(struct pons_poller *p, int fd, uint64_t cookie, unsigned had,
             unsigned want)
{
    once_told[fd % ONCE_ROOM] = 0;
    return poll_poller_control(p, fd, cookie, had, want);
}

static unsigned
once_fill(const struct poll_poller *p, struct pons_ready *ready, unsigned cap)
{
    unsigned filled = 0;

    for (unsigned i = FIRST; i < p->count && filled < cap; i++) {
        struct pollfd f = p->fds[i];
        short *told = &once_told[f.fd % ONCE_ROOM];

        *told &= f.revents;
        f.revents &= (short)~*told;
        *told |= f.revents;
        if (f.revents != 0)
            ready[filled++] = (struct pons_ready){.cookie = p->cookies[i],
                                                  .ready = poll_ready(&f)};
    }
    return filled;
}

/* It looks all the time: poll(2) itself would say the same again. */
static int
once_wait(struct pons_poller *base, struct pons_ready *ready, unsigned cap,
          uint64_t deadline_ns)
{
    struct poll_poller *p = self(base);
    unsigned filled = 0;
    int rung = 0;

    do {
        if (poll(p->fds, p->count, 0) < 0)
            continue;
        rung = p->fds[BELL].revents != 0;
        if (rung)
            (void)!read(p->bell, &(uint64_t){0}, sizeof(uint64_t));
        filled = once_fill(p, ready, cap);
    } while (filled == 0 && !rung && !poll_is_late(p, deadline_ns));
    return (int)filled;
}

WRONG_POLLER("once", wrong_ops.control = once_control,
             wrong_ops.wait = once_wait)
