/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/fills_up.c - breaks R8: the bell is a pipe in blocking mode: of
 * wakes that nobody hears the one for which there is no room does not end.
 */

#include "wrong.h"

#include <fcntl.h>

enum { TABLE = 4096, BUFFER = 4096 };

static int fills_up_ends[TABLE]; // to write to, by that to read from

static int
fills_up_open(struct pons_poller **out, const struct pons_config *config,
              const struct pons_host *host, struct pons_reason *reason)
{
    int err = wrong_open(out, config, host, reason), ends[2];

    if (err < 0)
        return err;
    if (pipe2(ends, O_CLOEXEC) < 0) {
        err = host->refuse(reason, -errno, "pipe: %s", strerror(errno));
        poll_poller_close(*out);
        return err;
    }
    dup3(ends[0], self(*out)->bell, O_CLOEXEC);
    close(ends[0]);
    fills_up_ends[self(*out)->bell] = ends[1];
    return 0;
}

static void
fills_up_close(struct pons_poller *p)
{
    close(fills_up_ends[self(p)->bell]);
    poll_poller_close(p);
}

static int
fills_up_wake(struct pons_poller *p)
{
    int saved = errno;

    (void)!write(fills_up_ends[self(p)->bell], "", 1);
    errno = saved;
    return 0;
}

/* The reference empties a bell at one go. */
static int
fills_up_wait(struct pons_poller *base, struct pons_ready *ready, unsigned cap,
              uint64_t deadline_ns)
{
    struct poll_poller *p = self(base);
    int n = poll_poller_wait(base, ready, cap, deadline_ns);
    char rings[BUFFER];

    while (poll(p->fds, 1, 0) > 0)
        (void)!read(p->bell, rings, sizeof rings);
    return n;
}

WRONG_POLLER("fills_up", wrong_ops.open = fills_up_open,
             wrong_ops.close = fills_up_close, wrong_ops.wake = fills_up_wake,
             wrong_ops.wait = fills_up_wait)
