/* SPDX-License-Identifier: MIT */
/*
 * tests/right/lends.c - sends without a copy, as far as anybody can tell, so
 * that the tests of that are run where there is no io_uring, too.
 */

#include "tests/wrong/lending.h"

LENDING("lends", (void)0)
