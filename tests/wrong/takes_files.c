/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/takes_files.c - breaks control: a file is watched, as if it
 * could be waited for.
 */

#include "wrong.h"

static int
takes_files_control(struct pons_poller *base, int fd, uint64_t cookie,
                    unsigned had, unsigned want)
{
    struct poll_poller *p = self(base);
    int err = poll_poller_control(base, fd, cookie, had, want);

    if (err != -EPERM)
        return err;
    if (p->count == p->size && poll_grow(p) < 0)
        return -ENOMEM;
    p->fds[p->count++] = (struct pollfd){.fd = fd};
    return poll_poller_control(base, fd, cookie, want, want);
}

WRONG_POLLER("takes_files", wrong_ops.control = takes_files_control)
