/* SPDX-License-Identifier: MIT */
#ifndef PONS_H
#define PONS_H

/*
 * pons/pons.h - all that users need. Authors of engines include
 * <pons/reactor.h>, <pons/poller.h> or <pons/pool.h> instead.
 */

#include "base.h"
#include "bridge.h"
#include "completion.h"
#include "error.h"
#include "fiber.h"
#include "future.h"
#include "op.h"
#include "runtime.h"
#include "scope.h"
#include "stream.h"
#include "task.h"
#include "time.h"

#endif /* PONS_H */
