/* SPDX-License-Identifier: MIT */
#ifndef PONS_FIBER_H
#define PONS_FIBER_H

/*
 * pons/fiber.h - what only fibers have: a stack, and what happens at its end.
 *
 * A fiber's stack is 256 KiB unless pons_spawn_options says otherwise, mapped
 * lazily, with a guard below it. Running into the guard ends the program with
 * SIGSEGV, as any stack overflow does. Who wants to know which fiber it was:
 *
 *     pons_stack_report();
 *     err = pons_runtime_new(&rt, NULL);
 *
 * Threads     Any thread; it reports, and workers that start afterwards.
 *
 * Failure     As it says.
 */

#include "task.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Installs a handler of SIGSEGV and SIGBUS that writes one line to stderr when
 * a fiber has run over its stack (the task's name and place of birth), and then
 * lets the signal do what it did before. Other faults pass through unchanged.
 * Debug builds of the library do this by themselves. 0, or -errno.
 */
PONS_API PONS_MUST_USE int pons_stack_report(void);

#ifdef __cplusplus
}
#endif
#endif /* PONS_FIBER_H */
