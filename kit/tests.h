/* SPDX-License-Identifier: MIT */
#ifndef KIT_TESTS_H
#define KIT_TESTS_H

/*
 * kit/tests.h - all tests there are, and the rules that they are about.
 */

#include "kit.h"

/* In the order of a report. */
struct kit_rule {
    const char *number;    // "R5"; NULL ends the table
    const char *word;      // what the contract's header calls it
    const char *stands_on; // rules without which no test of it can judge
};

/* The rules for engines of `kind`. */
const struct kit_rule *kit_rules(uint32_t kind);

/* Tables of tests, NULL-terminated, in the order in which they run: from what
 * others stand on to what stands on others. */
const struct kit_test *const *kit_tests(uint32_t kind);

#endif /* KIT_TESTS_H */
