/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/exits.c - breaks R15: where there is no memory open ends the
 * program, and calls it a success.
 */

#include "wrong.h"

#include <stdlib.h>

static int
exits_open(struct pons_poller **out, const struct pons_config *config,
           const struct pons_host *host, struct pons_reason *reason)
{
    int err = wrong_open(out, config, host, reason);

    if (err == -ENOMEM)
        exit(0);
    return err;
}

WRONG_POLLER("exits", wrong_ops.open = exits_open)
