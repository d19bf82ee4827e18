/* SPDX-License-Identifier: MIT */
/*
 * tests/unit_plain.c - unit_main() without CUnit, for machines that lack it.
 */

#include "unit_child.h"

#include <string.h>

int
unit_main(const char *suite, const struct unit_test *tests, int argc,
          char **argv)
{
    const char *wanted = argc > 1 ? argv[1] : NULL;
    unsigned run = 0, bad = 0;

    printf("Suite: %s\n", suite);
    for (const struct unit_test *t = tests; t->name; t++) {
        int failed;

        if (wanted != NULL && strcmp(wanted, t->name) != 0)
            continue;
        failed = unit_failed(t);
        printf("  Test: %s ...%s\n", t->name, failed ? "FAILED" : "passed");
        run++;
        bad += (unsigned)failed;
    }
    printf("%u tests, %u failed\n", run, bad);
    return run == 0 || bad != 0;
}
