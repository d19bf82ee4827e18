/* SPDX-License-Identifier: MIT */
/*
 * tests/right/counts_wakes.c - keeps the rules: each wake ends a wait of its
 * own, for several may count as one, and need not.
 */

#include "tests/wrong/wrong.h"

#include <fcntl.h>

static int
counts_wakes_open(struct pons_poller **out, const struct pons_config *config,
                  const struct pons_host *host, struct pons_reason *reason)
{
    int err = wrong_open(out, config, host, reason), bell;

    if (err < 0)
        return err;
    bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
    if (bell < 0) {
        err = host->refuse(reason, -errno, "eventfd: %s", strerror(errno));
        poll_poller_close(*out);
        return err;
    }
    dup3(bell, self(*out)->bell, O_CLOEXEC);
    close(bell);
    return 0;
}

WRONG_POLLER("counts_wakes", wrong_ops.open = counts_wakes_open)
