/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/steals.c - breaks R14: forked, in a child, silences the bell,
 * which is the parent's, too.
 */

#include "adapted.h"

static void
steals_forked(struct pons_reactor *r)
{
    struct poll_poller *p = poll_self(self(r)->poller);
    uint64_t rings;

    (void)!read(p->bell, &rings, sizeof rings);
    adapter_forked(r);
}

REACTOR("steals", adapted_ops.forked = steals_forked)
