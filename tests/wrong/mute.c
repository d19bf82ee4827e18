/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/mute.c - breaks R15: it refuses, and does not say why.
 */

#include "adapted.h"

static int
mute_open(struct pons_reactor **out, const struct pons_config *config,
          const struct pons_host *host, struct pons_reason *reason)
{
    int err = adapted_open(out, config, host, reason);

    if (err < 0)
        reason->text[0] = '\0';
    return err;
}

REACTOR("mute", adapted_ops.open = mute_open)
