/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/breeds.c - breaks R14: close leaves a process behind, in a
 * session of its own.
 */

#include "adapted.h"

static void
breeds_close(struct pons_reactor *r)
{
    if (fork() == 0) {
        setsid();
        close_range(0, ~0U, 0); // of which it shall leave none, too
        for (;;)
            pause();
    }
    adapter_close(r);
}

REACTOR("breeds", adapted_ops.close = breeds_close)
