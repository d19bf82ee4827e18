/* SPDX-License-Identifier: MIT */
/*
 * tests/wrong/endless.c - breaks edge: it declares that it tells endings
 * apart, and does not.
 */

#include "wrong.h"

WRONG_POLLER("endless", wrong_ops.caps = PONS_POLLER_ENDINGS)
