/* SPDX-License-Identifier: MIT */
/*
 * tests/compile-fail/mistyped_block_on.c
 *
 * block_on takes what is no pons_fiber_f.
 * EXPECT: incompatible-(function-)?pointer-types
 */

#include <pons/pons.h>

static int
answer(int64_t arg)
{
    return arg == 0;
}

int
main(void)
{
    return pons_block_on(NULL, answer, NULL, NULL);
}
