/* SPDX-License-Identifier: MIT */
/*
 * tests/compile-fail/ignored_runtime.c
 *
 * A runtime that was not made goes unnoticed.
 * EXPECT: unused-result
 */

#include <pons/pons.h>

int
main(void)
{
    struct pons_runtime *rt = NULL;

    pons_runtime_new(&rt, NULL);
    return rt == NULL;
}
