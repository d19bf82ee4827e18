/* SPDX-License-Identifier: MIT */
/*
 * tests/compile-fail/mistyped_task.c
 *
 * spawn takes what is no pons_fiber_f.
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
    return pons_spawn(NULL, answer, NULL, NULL);
}
