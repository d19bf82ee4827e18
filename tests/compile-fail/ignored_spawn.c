/* SPDX-License-Identifier: MIT */
/*
 * tests/compile-fail/ignored_spawn.c
 *
 * A task that was not spawned goes unnoticed.
 * EXPECT: unused-result
 */

#include <pons/pons.h>

static int64_t
answer(void *arg)
{
    return *(int64_t *)arg;
}

int
main(void)
{
    int64_t arg = 42;

    pons_spawn(NULL, answer, &arg, NULL);
    return 0;
}
