/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/rambles.c - breaks R15: the reason has no end.
 */

#include "wrong.h"

static int
rambles_open(struct pons_poller **out, const struct pons_config *config,
             const struct pons_host *host, struct pons_reason *reason)
{
    (void)out;
    (void)config;
    (void)host;
    memset(reason->text, 'a', sizeof reason->text);
    return -EPERM;
}

WRONG_POLLER("rambles", wrong_ops.open = rambles_open)
