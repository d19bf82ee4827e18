/* SPDX-License-Identifier: MIT */
/*
 * tests/unit.c - see tests/unit.h; the child process is tests/unit_child.c.
 */

#include "unit_child.h"

#include <CUnit/Basic.h>
#include <string.h>

static const struct unit_test *table;

static void
run_current(void)
{
    const char *name = CU_get_current_test()->pName;

    for (const struct unit_test *t = table; t->name; t++)
        if (strcmp(t->name, name) == 0)
            CU_ASSERT_FALSE(unit_failed(t));
}

int
unit_main(const char *suite, const struct unit_test *tests, int argc,
          char **argv)
{
    const char *wanted = argc > 1 ? argv[1] : NULL;
    CU_pSuite s;
    unsigned bad;

    table = tests;
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    s = CU_add_suite(suite, NULL, NULL);
    for (const struct unit_test *t = tests; s != NULL && t->name; t++)
        if (wanted == NULL || strcmp(wanted, t->name) == 0)
            CU_add_test(s, t->name, run_current);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    bad = CU_get_number_of_failures() + (CU_get_number_of_tests_run() == 0);
    CU_cleanup_registry();
    return bad != 0;
}
