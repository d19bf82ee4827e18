/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/never_closes.c - breaks B11: close does nothing.
 */

#include "policy.h"

static void
never_closes(struct pons_pool_policy *p)
{
    (void)p;
}

WRONG_POLICY("never_closes", wrong_ops.close = never_closes)
