/* SPDX-License-Identifier: MIT */
#ifndef UNIT_CHILD_H
#define UNIT_CHILD_H

/*
 * tests/unit_child.h - one test in a process of its own: for the runners.
 *
 * tests/unit.c (CUnit) and tests/unit_plain.c (where there is no CUnit) both
 * stand on it.
 */

#include "unit.h"

/* Whether `t` failed: its status, a signal (said on stderr), or no process. A
 * skipped test has not failed. */
int unit_failed(const struct unit_test *t);

#endif /* UNIT_CHILD_H */
