/* SPDX-License-Identifier: MIT */
#ifndef PONS_H
#define PONS_H

/*
 * pons/pons.h - all that users need. Authors of engines include
 * <pons/reactor.h>, <pons/poller.h> or <pons/pool.h> instead.
 *
 * What Pons promises, everywhere:
 *
 *   P1   One call, both colours: a call that waits suspends a fiber and blocks
 *        an ordinary thread; inside a future's poll() it is -EDEADLK.
 *   P2   Backends change speed, never results: bytes, errno and order are the
 *        same with every reactor.
 *   P3   Cancel loses nothing: an operation ends once, with its result, or with
 *        -ECANCELED and nothing consumed.
 *   P4   No hidden cost: no allocation per operation, wake or poll.
 *   P6   Failures are values: 0 (or a count) or -errno, with a sentence in
 *        pons_last_error(). The library does not abort, exit or print.
 *   P7   The ABI holds: programs and plugins of an older minor version go on
 *        working. Macros and inline functions are part of it.
 *   P8   It explains itself: what was chosen, what was refused and why, and
 *        what every task waits for.
 *   P9   Idle is free: nothing runs when nothing happens.
 *   P10  Fork, signals, limits: in a forked child inherited handles are
 *        -EOWNERDEAD; no SIGPIPE; Pons' threads block all signals.
 *
 * A pointer may be NULL where its page says so; the others are not checked.
 *
 * (P5, that one bad task does not stop the others, comes with the monitor.)
 */

#include "base.h"
#include "bridge.h"
#include "call.h"
#include "completion.h"
#include "error.h"
#include "fiber.h"
#include "file.h"
#include "future.h"
#include "multishot.h"
#include "op.h"
#include "process.h"
#include "runtime.h"
#include "scope.h"
#include "socket.h"
#include "stream.h"
#include "task.h"
#include "time.h"

#endif /* PONS_H */
