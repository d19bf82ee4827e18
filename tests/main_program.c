/* SPDX-License-Identifier: MIT */
/*
 * tests/main_program.c - a program whose main() is PONS_MAIN's: it waits by
 * calling, as any fiber. Exit status 0 if all went as it should.
 */

#include <string.h>

#include "pons/pons.h"

static int64_t
twice(void *arg)
{
    int64_t *n = arg;

    return pons_sleep(1) < 0 ? -1 : 2 * *n;
}

static int
score(int argc, char **argv)
{
    int64_t n = 21, spawned = 0, blocked = 0;
    struct pons_task *t;

    if (argc != 2 || strcmp(argv[1], "again") != 0)
        return 3;
    if (pons_runtime_current() == NULL || pons_sleep(1) < 0)
        return 4;
    if (pons_spawn(NULL, twice, &n, &t) < 0 || pons_join(t, &spawned) < 0)
        return 5;
    if (pons_blocking(twice, &n, &blocked) < 0)
        return 6;
    if (pons_spawn(NULL, twice, &n, NULL) < 0)
        return 7; // nobody waits for it: the end of main ends it
    return spawned == 42 && blocked == 42 ? 0 : 8;
}

PONS_MAIN(score)
