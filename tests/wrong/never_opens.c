/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/never_opens.c - breaks R15: open reads through a null pointer,
 * and there is no engine to test.
 */

#include "wrong.h"

static int
never_opens(struct pons_poller **out, const struct pons_config *config,
            const struct pons_host *host, struct pons_reason *reason)
{
    const struct pons_host *volatile none = NULL;

    (void)host;
    return wrong_open(out, config, none, reason);
}

WRONG_POLLER("never_opens", wrong_ops.open = never_opens)
