/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/grudges.c - breaks R15: an open that is refused keeps a
 * descriptor.
 */

#include "adapted.h"

static int
grudges_open(struct pons_reactor **out, const struct pons_config *config,
             const struct pons_host *host, struct pons_reason *reason)
{
    int spare = dup(STDIN_FILENO), err;

    if (spare < 0)
        return host->refuse(reason, -errno, "dup: %s", strerror(errno));
    err = adapted_open(out, config, host, reason);
    if (err == 0)
        close(spare);
    return err;
}

REACTOR("grudges", adapted_ops.open = grudges_open)
