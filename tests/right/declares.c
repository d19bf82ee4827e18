/* SPDX-License-Identifier: MIT */
/*
 * tests/right/declares.c - keeps the rules of the capabilities that it
 * declares, so that their tests are run.
 */

#include "tests/wrong/pretence.h"

PRETENCE("declares", pretence_caps = PONS_REACTOR_COMPLETION |
                                     PONS_REACTOR_VIRTUAL_TIME |
                                     PONS_REACTOR_PINNED)
