/* SPDX-License-Identifier: MIT */
/*
 * tests/compile-fail/ignored_await.c
 *
 * A result that matters is dropped.
 * EXPECT: unused-result
 */

#include <pons/pons.h>

void await(struct pons_future *f);

void
await(struct pons_future *f)
{
    pons_await(f);
}
