/* SPDX-License-Identifier: MIT */
#ifndef PONS_PROCESS_H
#define PONS_PROCESS_H

/*
 * pons/process.h - waiting for child processes.
 *
 *     siginfo_t how;
 *     int err = pons_waitid(P_PID, (unsigned)child, &how, WEXITED);
 *
 * As waitid(2), in two forms as everything that waits (P1): pons/call.h says
 * what ownership, threads and failure are.
 */

#include "call.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * `info` is a siginfo_t, or NULL. Waiting for one process to end (P_PID,
 * P_PIDFD with WEXITED and nothing else that waits) can be cancelled, and holds
 * no thread; everything else waits on a thread of the pool if the reactor does
 * not do it, and there it cannot be cancelled.
 */
PONS_CALL_FUTURE(pons_waitid);
PONS_API void pons_waitid_init(struct pons_waitid *w, int which, unsigned id,
                               void *info, int options);
PONS_API PONS_MUST_USE int pons_waitid(int which, unsigned id, void *info,
                                       int options);

#ifdef __cplusplus
}
#endif
#endif /* PONS_PROCESS_H */
