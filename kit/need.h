/* SPDX-License-Identifier: MIT */
#ifndef KIT_NEED_H
#define KIT_NEED_H

/*
 * kit/need.h - whether an engine is one that a test is for.
 */

#include "kit.h"

/* NULL, or why the test is skipped. In a test's process. */
const char *kit_need_unmet(struct kit *k, unsigned needs);

#endif /* KIT_NEED_H */
