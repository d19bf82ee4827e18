/* SPDX-License-Identifier: MIT */
/*
 * tests/compile-fail/ignored_join.c
 *
 * A join that was refused goes unnoticed.
 * EXPECT: unused-result
 */

#include <pons/pons.h>

void join(struct pons_task *t);

void
join(struct pons_task *t)
{
    pons_join(t, NULL);
}
